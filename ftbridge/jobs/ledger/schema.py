"""Every table of the ledger. Money is integer micro-USD; moments are RFC 3339 UTC text.

Changing anything here needs a new migration under ``migrations/versions``; a test compares.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()


def _job() -> Column[str]:
    return Column("job_id", String, ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False)


jobs = Table(
    "jobs",
    metadata,
    Column("id", String, primary_key=True),
    Column("key", String, nullable=False, unique=True),  # idempotency key, travels to the vendor
    Column("base_key", String, nullable=False),  # the key of attempt 1: same plan, any attempt
    Column("attempt", Integer, nullable=False),
    Column("parent_job", String, ForeignKey("jobs.id")),
    Column("provider", String, nullable=False),
    Column("account", String, nullable=False),
    Column("region", String),
    Column("model", String, nullable=False),
    Column("method", String, nullable=False),
    Column("adapter", String, nullable=False),
    Column("privacy", String, nullable=False),
    Column("spec", Text, nullable=False),
    Column("plan", Text, nullable=False),
    Column("state", String, nullable=False),
    Column("raw_state", String),
    Column("stopping", Boolean, nullable=False, default=False),
    Column("remote_id", String),
    Column("result_model", String),
    Column("error", Text),
    Column("progress", Float),
    Column("estimate_low_micro", BigInteger),
    Column("estimate_high_micro", BigInteger),
    Column("billed_tokens", BigInteger),
    Column("billed_micro", BigInteger),
    Column("created_at", String, nullable=False),
    Column("updated_at", String, nullable=False),
    Column("finished_at", String),
    Column("next_poll_at", String),
    Column("notified_at", String),
    Column("lease_owner", String),
    Column("lease_until", String),
    Index("jobs_created", "created_at"),
    Index("jobs_state", "state", "created_at"),
    Index("jobs_provider", "provider", "created_at"),
    Index("jobs_base_key", "base_key", "attempt"),
    # two of our jobs never share one of the vendor's
    Index("jobs_remote", "provider", "account", "remote_id", unique=True),
)

job_tags = Table(
    "job_tags",
    metadata,
    _job(),
    Column("name", String, nullable=False),
    Column("value", String, nullable=False),
    UniqueConstraint("job_id", "name"),
    Index("job_tags_name", "name", "value"),
)

steps = Table(
    "steps",
    metadata,
    _job(),
    Column("name", String, nullable=False),
    Column("state", String, nullable=False),  # pending, started, done
    Column("result", Text),
    Column("started_at", String),
    Column("done_at", String),
    UniqueConstraint("job_id", "name"),
)

events = Table(
    "events",
    metadata,
    Column("id", Integer, primary_key=True),
    _job(),
    Column("time", String, nullable=False),
    Column("level", String, nullable=False),
    Column("type", String, nullable=False),
    Column("step", Integer),
    Column("message", Text, nullable=False),
    Column("occurrence", Integer, nullable=False),  # the n-th event of this very content
    Column("content", String, nullable=False),  # hash of time, level, type, step, message
    UniqueConstraint("job_id", "content", "occurrence"),
)

warnings = Table(
    "warnings",
    metadata,
    _job(),
    Column("code", String, nullable=False),
    Column("about", String, nullable=False),  # each code is said once about one thing
    Column("message", Text, nullable=False),
    Column("time", String, nullable=False),
    UniqueConstraint("job_id", "code", "about"),
)

metrics = Table(
    "metrics",
    metadata,
    _job(),
    Column("step", Integer, nullable=False),
    Column("name", String, nullable=False),
    Column("value", Float, nullable=False),
    Column("time", String),
    UniqueConstraint("job_id", "step", "name"),
)

files = Table(
    "files",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("provider", String, nullable=False),
    Column("account", String, nullable=False),
    Column("sha256", String, nullable=False),
    Column("purpose", String, nullable=False),
    Column("remote_id", String, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("uploaded_at", String, nullable=False),
    Column("expires_at", String),
    Column("purged_at", String),
    Index("files_content", "provider", "account", "sha256", "purpose"),
    Index("files_remote", "provider", "account", "remote_id"),
)

file_refs = Table(
    "file_refs",
    metadata,
    Column("file_id", Integer, ForeignKey("files.id"), nullable=False),
    _job(),
    UniqueConstraint("file_id", "job_id"),
    Index("file_refs_job", "job_id"),
)

training_rows = Table(
    "training_rows",
    metadata,
    _job(),
    Column("content", LargeBinary, nullable=False),  # 16-byte hash of the row, never the row
    Column("prompt", LargeBinary, nullable=False),  # 16-byte hash of its prompt
    Index("training_rows_prompt", "prompt"),
    Index("training_rows_job", "job_id"),
)

models = Table(
    "models",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("job_id", String, ForeignKey("jobs.id")),
    Column("provider", String, nullable=False),
    Column("account", String, nullable=False),
    Column("name", String, nullable=False),
    Column("base", String, nullable=False),
    Column("created_at", String, nullable=False),
    Column("deleted_at", String),
    UniqueConstraint("provider", "account", "name"),
)

aliases = Table(
    "aliases",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String, nullable=False),
    Column("job_id", String, ForeignKey("jobs.id"), nullable=False),
    Column("reason", Text, nullable=False),
    Column("since", String, nullable=False),
    Column("until", String),  # None: the current one
    Index("aliases_name", "name", "until"),
)

evaluations = Table(
    "evaluations",
    metadata,
    Column("id", String, primary_key=True),
    Column("job_id", String, ForeignKey("jobs.id")),
    Column("data_sha256", String, nullable=False),
    Column("model", String, nullable=False),
    Column("baseline", String),
    Column("metric", String, nullable=False),
    Column("result", Text),
    Column("created_at", String, nullable=False),
    Column("finished_at", String),
)

eval_calls = Table(
    "eval_calls",
    metadata,
    Column("content", String, primary_key=True),  # hash of model, prompt and parameters
    Column("provider", String, nullable=False),
    Column("model", String, nullable=False),
    Column("prompt_tokens", Integer, nullable=False),
    Column("completion_tokens", Integer, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("micro_usd", BigInteger),
    Column("created_at", String, nullable=False),
    Column("evaluation_id", String),  # that which asked first
    Index("eval_calls_evaluation", "evaluation_id"),
)

quotes = Table(
    "quotes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("provider", String, nullable=False),
    Column("account", String, nullable=False),
    Column("model", String, nullable=False),
    Column("data_sha256", String, nullable=False),
    Column("micro_usd", BigInteger, nullable=False),
    Column("quoted_at", String, nullable=False),
)

reservations = Table(
    "reservations",
    metadata,
    Column("job_id", String, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("month", String, nullable=False),  # 2026-11
    Column("micro_usd", BigInteger, nullable=False),
    Column("released_at", String),
    Index("reservations_month", "month"),
)

egress = Table(
    "egress",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("job_id", String, ForeignKey("jobs.id")),
    Column("time", String, nullable=False),
    Column("sha256", String, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("privacy", String, nullable=False),
    Column("provider", String, nullable=False),
    Column("account", String, nullable=False),
    Column("region", String),
    Column("endpoint", String, nullable=False),
    Column("remote_id", String, nullable=False),
    Column("rule", String, nullable=False),
    Column("action", String, nullable=False, server_default="sent"),
    Column("previous", String, nullable=False),  # hash of the entry before
    Column("entry", String, nullable=False, unique=True),  # hash of this one
)

deployments = Table(
    "deployments",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("model_id", Integer, ForeignKey("models.id"), nullable=False),
    Column("name", String, nullable=False),
    Column("state", String, nullable=False),
    Column("micro_usd_per_hour", BigInteger),
    Column("created_at", String, nullable=False),
    Column("ended_at", String),
)
