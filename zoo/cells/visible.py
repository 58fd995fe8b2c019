"""What makes a Keras RNN cell visible: named quantities, of which it shows the ones asked for."""

from collections.abc import Mapping, Sequence
from typing import Any

from keras import KerasTensor, ops


class VisibleCell:
    """Mixin for a Keras RNN cell that can show what happens inside it.

    A concrete cell has
    - `State`, a NamedTuple: its state, each field (batch, width);
    - `step(x, state) -> (state, quantities)`: one step, where `quantities` maps every name in
      `visible`, states included, to a tensor (batch, width);
    - in `__init__`, after `super().__init__()`, a call of `set_visible`.

    By default it shows its first quantity only, what a next layer reads, and so is a drop-in for
    `keras.layers.RNN`. With more, `call` emits them joined along the last axis, because Keras
    takes one tensor from a cell; `zoo.recurrent.VisibleRNN` takes it apart again.

    Attributes:
        visible: name -> width of every quantity, the cell's output first.
        show: the names that `call` emits, in order.
    """

    State: type
    visible: dict[str, int]
    show: tuple[str, ...]

    def set_visible(self, visible: Mapping[str, int], show: Sequence[str] | None = None) -> None:
        """Declare what can be seen and choose what is shown (default: the first)."""
        show = (next(iter(visible)),) if show is None else tuple(show)
        unknown = [name for name in show if name not in visible]
        if unknown or not show:
            raise ValueError(
                f"`show` must name at least one quantity of {type(self).__name__}, of "
                f"{', '.join(visible)}. Received: show={show}."
            )
        self.visible = dict(visible)
        self.show = show
        self.output_size = sum(visible[name] for name in show)

    def state_of(self, states: Sequence[KerasTensor] | KerasTensor) -> Any:
        """The named state for what Keras hands to `call`: a sequence of tensors, or one tensor."""
        return self.State(*states) if isinstance(states, list | tuple) else self.State(states)

    def call(self, inputs, states, training=False):
        """One step: emitted quantities (batch, output_size) and the next state."""
        state, quantities = self.step(inputs, self.state_of(states))
        return self.emit(quantities), state

    def emit(self, quantities: Mapping[str, KerasTensor]) -> KerasTensor:
        """Join the shown quantities: name -> (..., width) in, (..., output_size) out."""
        shown = [quantities[name] for name in self.show]
        return shown[0] if len(shown) == 1 else ops.concatenate(shown, axis=-1)

    def split(self, emitted: KerasTensor) -> dict[str, KerasTensor]:
        """Take apart what `emit` joined: (..., output_size) in, name -> (..., width) out."""
        if len(self.show) == 1:
            return {self.show[0]: emitted}
        parts, start = {}, 0
        for name in self.show:
            parts[name] = emitted[..., start : start + self.visible[name]]
            start += self.visible[name]
        return parts

    def get_config(self) -> dict[str, Any]:
        """Settings of the cell, with what it shows."""
        return {**super().get_config(), "show": self.show}
