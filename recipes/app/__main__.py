"""`python -m recipes.app`, or `python -m app` where this folder was copied to."""

import sys

from .command import main
from .manifest import printable

if __name__ == "__main__":
    try:
        sys.exit(main())
    except (ValueError, OSError) as error:
        print(f"error: {printable(' '.join(str(error).split()))}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
