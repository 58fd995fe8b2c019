"""One's own sounds from few examples, on a frozen embedding: `zoo teach`.

`heads` fits and chooses heads and the threshold of the unknown, `model` puts them behind a base,
`training` goes from a folder to an exported model, `episodes` measures embeddings.
"""

from zoo.teaching.training import TeachSettings, teach

__all__ = ["TeachSettings", "teach"]
