# The package has no annotations; `Any` keeps the strict check of zoo/edge about zoo/edge.
from typing import Any

def __getattr__(name: str) -> Any: ...
