"""The limits of a job description against botocore's own model of the service."""

from __future__ import annotations

import json
from typing import Any

import botocore.session
import pytest
from botocore.model import ServiceModel, Shape
from conftest import Command


@pytest.fixture(scope="module")
def model() -> ServiceModel:
    return botocore.session.get_session().get_service_model("sagemaker")


@pytest.fixture(scope="module")
def limits(bucketline: Command) -> dict[str, Any]:
    return json.loads(bucketline.done("job", "limits").out)


def of_botocore(shape: Shape) -> dict[str, Any]:
    """What the shape demands, under the names that `job limits` has for it."""
    known = {
        name: value for name, value in shape.metadata.items() if name in ("min", "max", "pattern", "enum")
    }
    return {"type": shape.type_name, **known}


def test_every_shape_has_the_services_limits(limits: dict[str, Any], model: ServiceModel) -> None:
    assert len(limits) > 40
    for name, ours in limits.items():
        shape = model.shape_for(name)
        plain = {key: value for key, value in ours.items() if key not in ("members", "key", "value")}
        assert plain == of_botocore(shape), name


def test_every_structure_has_the_services_fields(limits: dict[str, Any], model: ServiceModel) -> None:
    for name, ours in limits.items():
        shape: Any = model.shape_for(name)
        if ours["type"] == "list":
            assert ours["value"] == shape.member.name
        elif ours["type"] == "map":
            assert (ours["key"], ours["value"]) == (shape.key.name, shape.value.name)
        elif ours["type"] == "structure":
            assert set(ours["members"]) == set(shape.members), name
            for member, field in ours["members"].items():
                # What means nothing here is not looked into.
                assert field["shape"] in ("", shape.members[member].name), (name, member)
                if field["shape"]:
                    assert field["required"] == (member in shape.required_members), (name, member)


def test_the_request_is_the_operations_input(limits: dict[str, Any], model: ServiceModel) -> None:
    shape = model.operation_model("CreateTrainingJob").input_shape
    assert shape is not None
    assert shape.name in limits
