"""What a worker does: import a function, unpickle its arguments, call it, say how it ended."""

import contextlib
import importlib
import os
import pickle
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.progress import one_line

INTERRUPTED = 130  # exit code of a command that Ctrl-C ended


@dataclass(frozen=True)
class Job:
    """A call as bytes: nothing of it is unpickled before the function's module is imported.

    Attributes:
        function: "package.module:name".
        arguments: pickled keyword arguments of this call alone.
        log: file that gets what is printed; None: it is not redirected.
        setting: of the worker, before anything is imported.
    """

    function: str
    arguments: bytes
    log: Path | None
    setting: "Setting"


@dataclass(frozen=True)
class Setting:
    """Surroundings of a worker.

    Attributes:
        environment: variables.
        path: where the parent finds its modules; on another machine, those folders that it has.
        folder: working folder of the parent, which paths of arguments are relative to.
    """

    environment: Mapping[str, str]
    path: tuple[str, ...]
    folder: str

    @classmethod
    def here(cls, environment: Mapping[str, str]) -> "Setting":
        """That of this process, with more variables."""
        return cls(environment, tuple(os.path.abspath(path) for path in sys.path), os.getcwd())

    def apply(self) -> None:
        """Make it that of this process, before anything is imported."""
        os.environ.update(self.environment)
        sys.path += [path for path in self.path if path not in sys.path and os.path.exists(path)]
        if os.path.isdir(self.folder):
            os.chdir(self.folder)


@dataclass(frozen=True)
class Reply:
    """How a call ended.

    Attributes:
        value: that it returned.
        error: one line; empty: it returned.
        interrupted: whether Ctrl-C ended it.
    """

    value: Any = None
    error: str = ""
    interrupted: bool = False


def resolve(function: str) -> Callable[..., Any]:
    """The function that "package.module:name" names.

    Raises:
        ValueError: there is none.
    """
    module, _, name = function.partition(":")
    target = getattr(importlib.import_module(module), name, None) if name else None
    if not callable(target):
        raise ValueError(f'Expected a function as "package.module:name". Received: {function}.')
    return target


def execute(job: Job, common: bytes = b"") -> Reply:
    """Call the function of a job with its arguments; its exceptions become a reply.

    Args:
        job: to run.
        common: pickled keyword arguments that all tasks share; empty: none.
    """
    job.setting.apply()

    def call() -> Any:
        function = resolve(job.function)
        shared = pickle.loads(common) if common else {}
        return function(**shared, **pickle.loads(job.arguments))

    return reply_of(call, job.log)


def _describe_exit(code: object, log: Path | None) -> str:
    """Exit code of a command line, and the last line that it wrote."""
    text = log.read_text(encoding="utf-8", errors="replace").strip() if log else ""
    last = text.splitlines()[-1].removeprefix("error: ") if text else ""
    return one_line(last or f"ended with exit code {code}")


def reply_of(call: Callable[[], Any], log: Path | None = None) -> Reply:
    """Call, and turn whatever happens into a reply.

    Args:
        call: without arguments.
        log: file that gets what is printed and the traceback of a defect; None: not redirected.
    """
    try:
        with contextlib.ExitStack() as stack:
            if log is not None:
                log.parent.mkdir(parents=True, exist_ok=True)
                file = stack.enter_context(log.open("a", encoding="utf-8", buffering=1))
                stack.enter_context(contextlib.redirect_stdout(file))
                stack.enter_context(contextlib.redirect_stderr(file))
            try:
                return Reply(call())
            except (ValueError, OSError):
                raise
            except Exception:
                traceback.print_exc()  # a defect, not a mistake: where it was is kept in the log
                raise
    except KeyboardInterrupt:
        return Reply(interrupted=True)
    except SystemExit as ended:  # of a command line
        if ended.code == INTERRUPTED:
            return Reply(interrupted=True)
        return Reply(error=_describe_exit(ended.code, log)) if ended.code else Reply()
    except Exception as error:
        kind = "" if isinstance(error, ValueError | OSError) else f"{type(error).__name__}: "
        return Reply(error=one_line(f"{kind}{error}") or type(error).__name__)
