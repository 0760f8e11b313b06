"""TrainingInput: one channel of a job."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from bucketline._options import choice, number, reject_unknown, text
from bucketline.errors import InvalidArgumentError

MODES = {name: name for name in ("File", "FastFile", "Pipe")}
_DISTRIBUTIONS = {name: name for name in ("FullyReplicated", "ShardedByS3Key")}
_DATA_TYPES = {name: name for name in ("S3Prefix", "ManifestFile", "AugmentedManifestFile")}
_COMPRESSIONS = {name: name for name in ("None", "Gzip")}
_WRAPPERS = {name: name for name in ("None", "RecordIO")}


class ShuffleConfig:
    """The seed of a channel's order: of its objects, manifest entries or JSON lines, anew in each epoch of a pipe."""

    def __init__(self, seed: int) -> None:
        self.seed: int = number(seed, "seed", -(2**63), 2**63 - 1, whole=True)

    def __repr__(self) -> str:
        return f"ShuffleConfig({self.seed})"


class TrainingInput:
    """Where a channel's data are, and how the job gets them.

    s3_data: "s3://bucket/prefix", or of a manifest. s3_data_type: "S3Prefix" | "ManifestFile" | "AugmentedManifestFile",
        which attribute_names belong to.
    distribution: "FullyReplicated" | "ShardedByS3Key": every host has all objects, or its share of them.
    input_mode: "File" | "FastFile" | "Pipe"; None: the estimator's.
    compression: None | "Gzip"; record_wrapping: None | "RecordIO"; shuffle_config: a ShuffleConfig: of pipes.
    content_type: told to the script. instance_groups: those that get the channel.
    """

    def __init__(
        self,
        s3_data: str,
        distribution: str | None = None,
        compression: str | None = None,
        content_type: str | None = None,
        record_wrapping: str | None = None,
        s3_data_type: str = "S3Prefix",
        instance_groups: Sequence[str] | None = None,
        input_mode: str | None = None,
        attribute_names: Sequence[str] | None = None,
        shuffle_config: ShuffleConfig | None = None,
        **unknown: Any,
    ) -> None:
        reject_unknown(unknown, _KEYWORDS, "TrainingInput")
        source: dict[str, Any] = {
            "S3DataType": choice(s3_data_type, "s3_data_type", _DATA_TYPES),
            "S3Uri": s3_uri(s3_data, "s3_data"),
            "S3DataDistributionType": choice(
                distribution or "FullyReplicated", "distribution", _DISTRIBUTIONS
            ),
        }
        if attribute_names is not None:
            source["AttributeNames"] = texts(attribute_names, "attribute_names")
        if instance_groups is not None:
            source["InstanceGroupNames"] = texts(instance_groups, "instance_groups")
        self._fields: dict[str, Any] = {"DataSource": {"S3DataSource": source}}
        if compression is not None:
            self._fields["CompressionType"] = choice(compression, "compression", _COMPRESSIONS)
        if content_type is not None:
            self._fields["ContentType"] = text(content_type, "content_type")
        if record_wrapping is not None:
            self._fields["RecordWrapperType"] = choice(record_wrapping, "record_wrapping", _WRAPPERS)
        if input_mode is not None:
            self._fields["InputMode"] = choice(input_mode, "input_mode", MODES)
        if shuffle_config is not None:
            if not isinstance(shuffle_config, ShuffleConfig):
                raise InvalidArgumentError(f"shuffle_config must be a ShuffleConfig, not {shuffle_config!r}")
            self._fields["ShuffleConfig"] = {"Seed": shuffle_config.seed}

    def to_channel(self, name: str) -> dict[str, Any]:
        """The entry of InputDataConfig."""
        return {"ChannelName": name, **self._fields}

    def __repr__(self) -> str:
        return f"TrainingInput({self._fields['DataSource']['S3DataSource']['S3Uri']!r})"


def channels(inputs: Any) -> list[dict[str, Any]]:
    """InputDataConfig of what `fit` takes: {name: URI or TrainingInput}, or one of them, whose channel is "training"."""
    if inputs is None:
        return []
    if isinstance(inputs, (str, TrainingInput)):
        inputs = {"training": inputs}
    if not isinstance(inputs, dict):
        raise InvalidArgumentError(
            f"inputs must be a URI, a TrainingInput, or a dict of them by channel, not {inputs!r}"
        )
    config = []
    for name, given in inputs.items():
        of = TrainingInput(given) if isinstance(given, str) else given
        if not isinstance(of, TrainingInput):
            raise InvalidArgumentError(
                f"the channel {name!r} must be an s3:// URI or a TrainingInput, not {given!r}"
            )
        config.append(of.to_channel(str(name)))
    return config


def s3_uri(given: Any, option: str) -> str:
    if not isinstance(given, str) or not re.match(r"s3://[^/]", given):
        raise InvalidArgumentError(f"{option} must be 's3://bucket/...', not {given!r}")
    return given


def texts(given: Any, option: str) -> list[str]:
    if isinstance(given, str) or not all(isinstance(each, str) for each in given):
        raise InvalidArgumentError(f"{option} must be a list of texts, not {given!r}")
    return list(given)


_KEYWORDS = (
    "s3_data",
    "distribution",
    "compression",
    "content_type",
    "record_wrapping",
    "s3_data_type",
    "instance_groups",
    "input_mode",
    "attribute_names",
    "shuffle_config",
)
