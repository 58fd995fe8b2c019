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

/** A range input with its label and a live value: { element, input }; `format` writes the value. */
export function slider(label, { min, max, step, value, format = String, onchange }) {
  const output = make("output", { class: "number" }, format(value));
  const input = make("input", { type: "range", min, max, step, value });
  input.setAttribute("aria-valuetext", format(value));
  input.addEventListener("input", () => {
    output.textContent = format(Number(input.value));
    input.setAttribute("aria-valuetext", output.textContent);
    onchange?.(Number(input.value));
  });
  const element = make("label", { class: "field" }, `${label}: `, output, input);
  return { element, input };
}

/** Three significant digits, without an exponent where that is short. */
export function number(value, digits = 3) {
  if (!Number.isFinite(value)) return "not finite";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e5 || size < 1e-3) return value.toExponential(digits - 1).replace("e+", "e");
  return String(Number(value.toPrecision(digits)));
}

/** 12,345 -> "12.3 kB". */
export function bytes(count) {
  return count < 1e6 ? `${number(count / 1e3)} kB` : `${number(count / 1e6)} MB`;
}
