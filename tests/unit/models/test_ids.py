"""Numbers made of ids."""

from hypothesis import given
from hypothesis import strategies as st

from models.ids import order_key

IDS = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=24)
PAIRS = st.tuples(IDS, IDS) | st.tuples(IDS, IDS, IDS).map(lambda each: (each[0] + each[1], each[0] + each[2]))


@given(pair=PAIRS)
def test_keys_order_as_the_first_16_bytes_do(pair: tuple[str, str]) -> None:
    """Ids of up to 16 bytes as text does; longer ones may share a key, and never stand the wrong way round."""
    one, other = pair
    first, second = (text.encode()[:16] for text in pair)

    assert (order_key(one) < order_key(other)) == (first < second)
    assert (order_key(one) == order_key(other)) == (first == second)
    if max(len(text.encode()) for text in pair) <= 16:
        assert (order_key(one) < order_key(other)) == (one < other)


def test_keys_fit_into_unsigned_numbers_of_64_bits() -> None:
    """The last character that there is, four times, and nothing at all."""
    assert order_key("\U0010ffff" * 4) == (0xF48FBFBFF48FBFBF, 0xF48FBFBFF48FBFBF)
    assert order_key("a") == (0x61 << 56, 0)
    assert order_key("") == (0, 0)
