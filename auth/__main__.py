"""`python -m auth` serves; `bootstrap …` makes the first rows, `operate …` runs the platform."""

import sys

if __name__ == "__main__":
    if len(sys.argv) > 1:
        from auth.commands import run
        from core.starting import in_words

        with in_words():
            sys.exit(run(sys.argv[1:]))
    from auth.server import serve

    serve()
