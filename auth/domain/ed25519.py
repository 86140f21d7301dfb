"""Public keys of Ed25519 (RFC 8032) that prove something.

Under a point of small order anybody can make signatures that verify, and what verifies them does
not look at the key. So it is looked at when it is registered: it is a point of the curve, in the
one spelling that it has, and of large order.
"""

_P = 2**255 - 19
_D = -121665 * pow(121666, -1, _P) % _P
_ROOT_OF_MINUS_ONE = pow(2, (_P - 1) // 4, _P)

_Point = tuple[int, int]


def is_sound(public_key: bytes) -> bool:
    """Whether a raw public key is one that nobody signs for without its private half."""
    point = _decoded(public_key)
    if point is None:
        return False
    # The curve has eight points of small order: three doublings take these, and no other, to the
    # neutral one.
    for _ in range(3):
        point = _doubled(point)
    return point != (0, 1)


def _decoded(raw: bytes) -> _Point | None:
    """The point (RFC 8032, 5.1.3); None for what is none, or is another spelling of one."""
    number = int.from_bytes(raw, "little")
    sign, y = number >> 255, number & ((1 << 255) - 1)
    if len(raw) != 32 or y >= _P:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if x * x % _P != square:
        x = x * _ROOT_OF_MINUS_ONE % _P
    if x * x % _P != square or (x == 0 and sign):
        return None
    return (_P - x if x & 1 != sign else x), y


def _doubled(point: _Point) -> _Point:
    x, y = point
    product = _D * x * x * y * y % _P
    return (
        2 * x * y * pow(1 + product, -1, _P) % _P,
        (y * y + x * x) * pow(1 - product, -1, _P) % _P,
    )
