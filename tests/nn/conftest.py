"""Fixtures for the tests of layers and nets."""

import pytest


@pytest.fixture(params=[(), (2,)], ids=["single", "members"])
def members(request):
    return request.param
