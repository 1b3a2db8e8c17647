"""Every learning-rate schedule keeps the promises of its base."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradviz.errors import GradvizError
from gradviz.options import from_dict, to_dict
from gradviz.rates import RATES


@pytest.mark.parametrize("name", RATES.names())
@given(total=st.integers(0, 10**7), update=st.integers(0, 10**7))
def test_a_factor_is_a_share_that_depends_on_its_arguments_alone(name, total, update):
    rate = RATES[name]()
    factor = rate.factor(update, total)
    assert type(factor) is float
    assert 0 <= factor <= 1
    assert RATES[name]().factor(update, total) == factor


@pytest.mark.parametrize("name", RATES.names())
def test_it_rises_to_the_full_rate_and_does_not_rise_again(name):
    factors = np.array([RATES[name]().factor(update, 1000) for update in range(1000)])
    top = int(factors.argmax())
    assert factors[top] == 1
    assert (np.diff(factors[: top + 1]) > 0).all()
    assert (np.diff(factors[top:]) <= 0).all()


@pytest.mark.parametrize("name", RATES.names())
def test_options_survive_a_run_file_and_have_limits(name):
    rate = RATES[name]()
    assert from_dict(RATES[name], to_dict(rate)) == rate
    for option in to_dict(rate):
        with pytest.raises(GradvizError, match=f"{type(rate).__name__}.{option} is -1; it must be"):
            RATES[name](**{option: -1})
