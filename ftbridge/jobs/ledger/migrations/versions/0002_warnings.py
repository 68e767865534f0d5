"""Warnings that are said once, who was told of the end, and one remote job for one of ours.

Revision ID: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("jobs", sa.Column("notified_at", sa.String(), nullable=True))
    op.create_index("jobs_remote", "jobs", ["provider", "account", "remote_id"], unique=True)
    op.create_index("files_remote", "files", ["provider", "account", "remote_id"], unique=False)
    op.create_index("file_refs_job", "file_refs", ["job_id"], unique=False)
    op.create_table(
        "warnings",
        sa.Column("job_id", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("about", sa.String(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("time", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], ondelete="CASCADE"),
        sa.UniqueConstraint("job_id", "code", "about"),
    )
