"""The fields of published rows."""

import pytest

from procqa.corpora.layouts.rows import to_id


def test_white_space_in_an_id_becomes_an_underscore_and_an_empty_id_is_refused():
    assert to_id(" a b\tc\n") == "a_b_c"
    with pytest.raises(ValueError, match="must not be empty"):
        to_id(" ")
