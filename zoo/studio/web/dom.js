// Elements, formatted numbers.

/** An element: make("p", { class: "quiet", onclick }, "text", child). Text is never parsed as HTML. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== undefined && value !== null) {
      element.setAttribute(name, value);
    }
  }
  element.append(...children.filter((each) => each !== null && each !== undefined));
  return element;
}

/** A range input with its label and a live value: { element, input, show(text) }; `format` writes the value. */
export function slider(label, { min, max, step, value, format = String, onchange }) {
  const output = make("output", { class: "number" }, format(value));
  const input = make("input", { type: "range", min, max, step, value });
  const show = (text) => {
    output.textContent = text;
    input.setAttribute("aria-valuetext", text);
  };
  show(format(value));
  input.addEventListener("input", () => {
    show(format(Number(input.value)));
    onchange?.(Number(input.value));
  });
  const element = make("label", { class: "field" }, `${label}: `, output, input);
  return { element, input, show };
}

/**
 * A slider over decades: { element, value, set(value, { low, high }) }; `onchange(value)` as it
 * moves, not by `set`. Values have two significant digits.
 */
export function logSlider(label, { low, high, value, unit, onchange }) {
  const read = (position) => Number((10 ** position).toPrecision(2));
  const format = (position) => `${number(read(position))} ${unit}`.trim();
  const made = slider(label, {
    min: Math.log10(low), max: Math.log10(high), step: "any", value: Math.log10(value), format,
    onchange: (position) => {
      result.value = read(position);
      onchange?.(result.value);
    },
  });
  const result = {
    element: made.element,
    value,
    set(next, { low: least, high: most }) {
      Object.assign(made.input, { min: Math.log10(least), max: Math.log10(most) });
      made.input.step = (Math.log10(most) - Math.log10(least)) / 200;
      made.input.value = Math.log10(next);
      result.value = next;
      made.show(`${number(next)} ${unit}`.trim());
    },
  };
  return result;
}

/** Three significant digits, without an exponent where that is short. */
export function number(value, digits = 3) {
  if (!Number.isFinite(value)) return "not finite";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e5 || size < 1e-3) {
    return value.toExponential(digits - 1).replace(/\.?0*e\+?/, "e");
  }
  return String(Number(value.toPrecision(digits)));
}

/** 12,345 -> "12.3 kB". */
export function bytes(count) {
  return count < 1e6 ? `${number(count / 1e3)} kB` : `${number(count / 1e6)} MB`;
}
