BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0002');
CREATE TABLE aliases (
	id INTEGER NOT NULL, 
	name VARCHAR NOT NULL, 
	job_id VARCHAR NOT NULL, 
	reason TEXT NOT NULL, 
	since VARCHAR NOT NULL, 
	until VARCHAR, 
	PRIMARY KEY (id), 
	FOREIGN KEY(job_id) REFERENCES jobs (id)
);
CREATE TABLE deployments (
	id INTEGER NOT NULL, 
	model_id INTEGER NOT NULL, 
	name VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	micro_usd_per_hour BIGINT, 
	created_at VARCHAR NOT NULL, 
	ended_at VARCHAR, 
	PRIMARY KEY (id), 
	FOREIGN KEY(model_id) REFERENCES models (id)
);
CREATE TABLE egress (
	id INTEGER NOT NULL, 
	job_id VARCHAR, 
	time VARCHAR NOT NULL, 
	sha256 VARCHAR NOT NULL, 
	rows INTEGER NOT NULL, 
	bytes BIGINT NOT NULL, 
	privacy VARCHAR NOT NULL, 
	provider VARCHAR NOT NULL, 
	account VARCHAR NOT NULL, 
	region VARCHAR, 
	endpoint VARCHAR NOT NULL, 
	remote_id VARCHAR NOT NULL, 
	rule VARCHAR NOT NULL, 
	previous VARCHAR NOT NULL, 
	entry VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(job_id) REFERENCES jobs (id), 
	UNIQUE (entry)
);
INSERT INTO "egress" VALUES(1,'job_000000000001','2026-11-24T10:00:00Z','abababababababababababababababababababababababababababababababab',12,345,'internal','openai','me',NULL,'https://api.openai.com/v1','file-1','default.allow','','1cc2938d99671d42aa506dd4cb0b20dc8a114978e07ee89c568cd59551806199');
CREATE TABLE eval_calls (
	content VARCHAR NOT NULL, 
	provider VARCHAR NOT NULL, 
	model VARCHAR NOT NULL, 
	reply TEXT NOT NULL, 
	prompt_tokens INTEGER NOT NULL, 
	completion_tokens INTEGER NOT NULL, 
	seconds FLOAT NOT NULL, 
	micro_usd BIGINT, 
	created_at VARCHAR NOT NULL, 
	PRIMARY KEY (content)
);
INSERT INTO "eval_calls" VALUES('cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd','openai','ft:1','{"text": "what the model said", "tool_calls": [], "prompt_tokens": 3, "completion_tokens": 4, "finish_reason": "stop", "seconds": 0.5}',3,4,0.5,NULL,'2026-11-24T10:00:00Z');
CREATE TABLE evaluations (
	id VARCHAR NOT NULL, 
	job_id VARCHAR, 
	data_sha256 VARCHAR NOT NULL, 
	model VARCHAR NOT NULL, 
	baseline VARCHAR, 
	metric VARCHAR NOT NULL, 
	result TEXT, 
	created_at VARCHAR NOT NULL, 
	finished_at VARCHAR, 
	PRIMARY KEY (id), 
	FOREIGN KEY(job_id) REFERENCES jobs (id)
);
CREATE TABLE events (
	id INTEGER NOT NULL, 
	job_id VARCHAR NOT NULL, 
	time VARCHAR NOT NULL, 
	level VARCHAR NOT NULL, 
	type VARCHAR NOT NULL, 
	step INTEGER, 
	message TEXT NOT NULL, 
	occurrence INTEGER NOT NULL, 
	content VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE, 
	UNIQUE (job_id, content, occurrence)
);
CREATE TABLE file_refs (
	file_id INTEGER NOT NULL, 
	job_id VARCHAR NOT NULL, 
	FOREIGN KEY(file_id) REFERENCES files (id), 
	FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE, 
	UNIQUE (file_id, job_id)
);
CREATE TABLE files (
	id INTEGER NOT NULL, 
	provider VARCHAR NOT NULL, 
	account VARCHAR NOT NULL, 
	sha256 VARCHAR NOT NULL, 
	purpose VARCHAR NOT NULL, 
	remote_id VARCHAR NOT NULL, 
	bytes BIGINT NOT NULL, 
	uploaded_at VARCHAR NOT NULL, 
	expires_at VARCHAR, 
	purged_at VARCHAR, 
	PRIMARY KEY (id)
);
CREATE TABLE job_tags (
	job_id VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	value VARCHAR NOT NULL, 
	FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE, 
	UNIQUE (job_id, name)
);
INSERT INTO "job_tags" VALUES('job_000000000001','team','a');
CREATE TABLE jobs (
	id VARCHAR NOT NULL, 
	"key" VARCHAR NOT NULL, 
	base_key VARCHAR NOT NULL, 
	attempt INTEGER NOT NULL, 
	parent_job VARCHAR, 
	provider VARCHAR NOT NULL, 
	account VARCHAR NOT NULL, 
	region VARCHAR, 
	model VARCHAR NOT NULL, 
	method VARCHAR NOT NULL, 
	adapter VARCHAR NOT NULL, 
	privacy VARCHAR NOT NULL, 
	spec TEXT NOT NULL, 
	"plan" TEXT NOT NULL, 
	state VARCHAR NOT NULL, 
	raw_state VARCHAR, 
	stopping BOOLEAN NOT NULL, 
	remote_id VARCHAR, 
	result_model VARCHAR, 
	error TEXT, 
	progress FLOAT, 
	estimate_low_micro BIGINT, 
	estimate_high_micro BIGINT, 
	billed_tokens BIGINT, 
	billed_micro BIGINT, 
	created_at VARCHAR NOT NULL, 
	updated_at VARCHAR NOT NULL, 
	finished_at VARCHAR, 
	next_poll_at VARCHAR, 
	lease_owner VARCHAR, 
	lease_until VARCHAR, notified_at VARCHAR, 
	PRIMARY KEY (id), 
	FOREIGN KEY(parent_job) REFERENCES jobs (id), 
	UNIQUE ("key")
);
INSERT INTO "jobs" VALUES('job_000000000001','ftb-1','ftb-1',1,NULL,'openai','key-x',NULL,'gpt','sft','managed','internal','{"provider": "openai", "tags": {"team": "a"}, "options": {}, "connection": {}}','{"usd": {"low": "0.1", "high": "0.2", "unknown": [], "lines": []}, "tokens": {"high": 10, "n_epochs": 1}}','running',NULL,0,'ftjob-1',NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-24T00:00:00.000000Z','2026-11-24T00:00:00.000000Z',NULL,NULL,NULL,NULL,NULL);
CREATE TABLE metrics (
	job_id VARCHAR NOT NULL, 
	step INTEGER NOT NULL, 
	name VARCHAR NOT NULL, 
	value FLOAT NOT NULL, 
	time VARCHAR, 
	FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE, 
	UNIQUE (job_id, step, name)
);
CREATE TABLE models (
	id INTEGER NOT NULL, 
	job_id VARCHAR, 
	provider VARCHAR NOT NULL, 
	account VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	base VARCHAR NOT NULL, 
	created_at VARCHAR NOT NULL, 
	deleted_at VARCHAR, 
	PRIMARY KEY (id), 
	FOREIGN KEY(job_id) REFERENCES jobs (id), 
	UNIQUE (provider, account, name)
);
CREATE TABLE quotes (
	id INTEGER NOT NULL, 
	provider VARCHAR NOT NULL, 
	account VARCHAR NOT NULL, 
	model VARCHAR NOT NULL, 
	data_sha256 VARCHAR NOT NULL, 
	micro_usd BIGINT NOT NULL, 
	quoted_at VARCHAR NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE reservations (
	job_id VARCHAR NOT NULL, 
	month VARCHAR NOT NULL, 
	micro_usd BIGINT NOT NULL, 
	released_at VARCHAR, 
	PRIMARY KEY (job_id), 
	FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE
);
INSERT INTO "reservations" VALUES('job_000000000001','2026-11',200000,NULL);
CREATE TABLE steps (
	job_id VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	result TEXT, 
	started_at VARCHAR, 
	done_at VARCHAR, 
	FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE, 
	UNIQUE (job_id, name)
);
INSERT INTO "steps" VALUES('job_000000000001','create','done','"ftjob-1"',NULL,NULL);
CREATE TABLE training_rows (
	job_id VARCHAR NOT NULL, 
	content BLOB NOT NULL, 
	prompt BLOB NOT NULL, 
	FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE
);
CREATE TABLE warnings (
	job_id VARCHAR NOT NULL, 
	code VARCHAR NOT NULL, 
	about VARCHAR NOT NULL, 
	message TEXT NOT NULL, 
	time VARCHAR NOT NULL, 
	FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE, 
	UNIQUE (job_id, code, about)
);
CREATE INDEX files_content ON files (provider, account, sha256, purpose);
CREATE INDEX jobs_base_key ON jobs (base_key, attempt);
CREATE INDEX jobs_created ON jobs (created_at);
CREATE INDEX jobs_provider ON jobs (provider, created_at);
CREATE INDEX jobs_state ON jobs (state, created_at);
CREATE INDEX aliases_name ON aliases (name, until);
CREATE INDEX job_tags_name ON job_tags (name, value);
CREATE INDEX reservations_month ON reservations (month);
CREATE INDEX training_rows_job ON training_rows (job_id);
CREATE INDEX training_rows_prompt ON training_rows (prompt);
CREATE UNIQUE INDEX jobs_remote ON jobs (provider, account, remote_id);
CREATE INDEX files_remote ON files (provider, account, remote_id);
CREATE INDEX file_refs_job ON file_refs (job_id);
COMMIT;
