"""QR codes as SVG documents: sharp at any size, and nothing but text to carry."""

import io

import segno

_SCALE = 4  # pixels to a module, where the page says nothing of the size


def svg_of(text: str) -> str:
    """The code of a text, dark on white, whatever the page behind it."""
    drawn = io.BytesIO()
    segno.make(text, error="m", micro=False).save(drawn, kind="svg", scale=_SCALE, light="#fff")
    return drawn.getvalue().decode()
