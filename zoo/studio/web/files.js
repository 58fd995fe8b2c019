// Files of the app: from the folder that it is served from, or from the page itself.

/** Content of a file of the app, such as "models/index.json". */
export async function readFile(name) {
  const block = document.querySelector(`script[data-file="${CSS.escape(name)}"]`);
  if (block) return unpack(block.textContent);
  const response = await fetch(name);
  if (!response.ok) throw new Error(`${name} cannot be read (${response.status}).`);
  return new Uint8Array(await response.arrayBuffer());
}

/** Whether the page holds its files itself. */
export function isSinglePage() {
  return document.querySelector("script[data-file]") !== null;
}

/** Address that a worklet is loaded from: a file, or its text as data: in the single page. */
export async function scriptAddress(name) {
  if (!isSinglePage()) return name;
  const text = new TextDecoder().decode(await readFile(name));
  return `data:text/javascript;charset=utf-8,${encodeURIComponent(text)}`;
}

/** Let the user keep a file. */
export function saveFile(name, content, type) {
  const address = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

async function unpack(text) {
  const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
