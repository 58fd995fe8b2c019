"""The interface of a visible cell: a Keras RNN cell with named quantities, some of them emitted."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import keras
from keras import KerasTensor, ops

# A mixin: to a type checker it is a layer, at run time the Keras cell beside it is.
_Layer = keras.layers.Layer if TYPE_CHECKING else object


class VisibleCell(_Layer):
    """Mixin for a Keras RNN cell whose internal quantities have names.

    A concrete cell has
    - `State`, a NamedTuple: its state, each field (batch, width);
    - `step(x, state) -> (state, quantities)`: one step, where `quantities` maps every name in
      `visible`, states included, to a tensor (batch, width);
    - in `__init__`, after `super().__init__()`, a call of `set_visible`.

    By default it emits its first quantity only, the input of the next layer, and so is a drop-in
    for `keras.layers.RNN`. With more, `call` emits them joined along the last axis, because Keras
    takes one tensor from a cell; `zoo.recurrent.VisibleRNN` splits it again.

    Attributes:
        visible: name -> width of every quantity, the cell's output first.
        show: the names that `call` emits, in order.
    """

    State: Any
    visible: dict[str, int]
    show: tuple[str, ...]

    def set_visible(self, visible: Mapping[str, int], show: Sequence[str] | None = None) -> None:
        """Declare all quantities and choose those to emit.

        Args:
            visible: name -> width of every quantity, the cell's output first.
            show: names to emit; None: the first.

        Raises:
            ValueError: `show` is empty or names an unknown quantity.
        """
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

    def showing(self, show: Sequence[str]) -> Self:
        """The cell with the same weights, not copied, that emits other quantities.

        Args:
            show: names to emit, the output first.

        Raises:
            ValueError: `show` is empty or names an unknown quantity, or the cell has no weights
                yet: call the layer or model that it belongs to first.
        """
        if not self.built:
            raise ValueError(
                f"Expected a {type(self).__name__} with weights. Received: one that was not "
                "called. Call its layer or model first."
            )
        twin = type(self).from_config({**self.get_config(), "show": tuple(show)})
        weights = iter(self.weights)
        # built as ever, with the weights of this cell in place of new ones
        twin.add_weight = lambda *_, **__: next(weights)
        twin.build_from_config(self.get_build_config())
        del twin.add_weight
        return twin

    def state_of(self, states: Sequence[KerasTensor] | KerasTensor) -> Any:
        """The named state for what Keras hands to `call`: a sequence of tensors, or one tensor."""
        return self.State(*states) if isinstance(states, list | tuple) else self.State(states)

    def step(self, x: KerasTensor, state: Any, *masks: Any) -> tuple[Any, dict[str, KerasTensor]]:
        """One step: the next state and every quantity by name.

        Args:
            x: (batch, features).
            state: `State` before the step.
            *masks: of dropout, in cells that have it.

        Raises:
            NotImplementedError: a cell must define it.
        """
        raise NotImplementedError

    def call(
        self,
        inputs: KerasTensor,
        states: Sequence[KerasTensor] | KerasTensor,
        training: Any = False,
    ) -> tuple[KerasTensor, list[KerasTensor]]:
        """One step, as Keras calls it.

        Args:
            inputs: (batch, features).
            states: before the step, each (batch, width).
            training: not used.

        Returns:
            Emitted quantities (batch, output_size) and the states after the step; a list, because
            `lax.scan` of JAX wants the structure that it gave.
        """
        state, quantities = self.step(inputs, self.state_of(states))
        return self.emit(quantities), list(state)

    def emit(self, quantities: Mapping[str, KerasTensor]) -> KerasTensor:
        """Join the shown quantities: name -> (..., width) in, (..., output_size) out."""
        shown = [quantities[name] for name in self.show]
        return shown[0] if len(shown) == 1 else ops.concatenate(shown, axis=-1)

    def split(self, emitted: KerasTensor) -> dict[str, KerasTensor]:
        """Split what `emit` joined: (..., output_size) in, name -> (..., width) out."""
        if len(self.show) == 1:
            return {self.show[0]: emitted}
        parts, start = {}, 0
        for name in self.show:
            parts[name] = emitted[..., start : start + self.visible[name]]
            start += self.visible[name]
        return parts

    def get_config(self) -> dict[str, Any]:
        """Settings of the cell, with the quantities that it emits."""
        return {**super().get_config(), "show": self.show}
