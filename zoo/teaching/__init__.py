"""One's own sounds from few examples, on an embedding: `zoo teach`.

`heads` fits and chooses heads and the threshold of the unknown, `tuning` trains the last layers of
an embedding, `model` puts heads behind a base, `fitting` chooses and fits all of it to clips,
`training` goes from a folder to an exported model, `card` says what it is worth, `episodes`
measures embeddings.
"""

from zoo.teaching.settings import TeachSettings
from zoo.teaching.training import teach

__all__ = ["TeachSettings", "teach"]
