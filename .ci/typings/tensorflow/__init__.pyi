# Its own annotations name tensors of backends that are not installed: here all is Any.
from typing import Any

def __getattr__(name: str) -> Any: ...
