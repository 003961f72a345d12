"""What `protocol/openapi.yaml` says, asked with generated requests: no server error, and no answer it does not know."""

import pathlib
import shutil
import tempfile

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from agent import ROOT, Agent

schema = schemathesis.openapi.from_path(str(pathlib.Path(ROOT) / "protocol/openapi.yaml"))


@pytest.fixture(scope="module")
def server():
    folder = tempfile.mkdtemp(prefix="hw-", dir="/tmp")
    agent = Agent(folder + "/data", "--window", "0.1")
    try:
        yield agent.start()
    finally:
        agent.stop()
        shutil.rmtree(folder, ignore_errors=True)


@schema.parametrize()
@settings(
    max_examples=40, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much],
)
def test_no_generated_request_is_too_much(case, server):
    case.call_and_validate(
        base_url=f"http://{server.http}",
        checks=[not_a_server_error, status_code_conformance, response_schema_conformance],
    )
    assert server.process.poll() is None
