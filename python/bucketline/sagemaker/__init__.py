"""SageMaker training jobs on this machine, with the keywords that users of its SDK know.

    from bucketline.sagemaker import LocalEstimator, TrainingInput

    estimator = LocalEstimator(entry_point="train.py", output_path="s3://bucket/out", hyperparameters={"epochs": 3})
    job = estimator.fit({"train": TrainingInput("s3://bucket/images/", input_mode="FastFile")})
    assert job.status == "Completed", job.failure_reason

Neither the SDK nor Docker is needed: `bucketline job run`, which comes with the package, does the work.
"""

from __future__ import annotations

from bucketline.sagemaker.estimator import LocalEstimator
from bucketline.sagemaker.inputs import ShuffleConfig, TrainingInput
from bucketline.sagemaker.job import Phase, TrainingJob

__all__ = ["LocalEstimator", "Phase", "ShuffleConfig", "TrainingInput", "TrainingJob"]
