"""A fresh portal and a fresh org, asked without a server."""

from __future__ import annotations

import pytest
from portal_calls import Portal
from salesforce_org import Api


@pytest.fixture
def portal() -> Portal:
    return Portal()


@pytest.fixture
def org() -> Api:
    return Api()
