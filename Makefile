# The main commands are `make demo` and `make test`. Each installs what it needs below .stack/ and
# target/. Ports and folders: HTTP_PORT, DYNAMODB_PORT, AWS_PORT, STACK_DIR. Any parameter of
# infra/template.yaml can be set by its name in upper snake case (MODEL_PROVIDER=openai
# OPENAI_BASE_URL=… make up).

PYTHON ?= python3
STACK_PYTHON = .stack/venv/bin/python

.PHONY: demo test up bench chaos check api clients deploy destroy restore deploy-local sbom audit fmt install install-checks clean-stack

# Runs real tasks: a killed worker, questions to the person at the terminal, suspend and resume.
# Exits 0 only if every check holds. Without a terminal, or without an answer within seconds, a
# default answer is used.
demo: install
	@$(STACK_PYTHON) infra/local/demo.py

# All checks: formats, lints, the quick tests, and the tests on the running stack.
test: install-checks
	@$(STACK_PYTHON) infra/local/check.py --stack

# Runs the stack in the foreground until Ctrl-C. EXECUTOR=native runs the workers in MiniStack.
# DATA=<folder> keeps the table and the bucket, so that sessions survive a restart. QUICK=1 is the
# stack of the tests. A change of the source restarts the functions unless RELOAD=0 is set.
up: install
	@$(STACK_PYTHON) infra/local/up.py $(if $(QUICK),--quick) $(if $(filter 0,$(RELOAD)),--ignore-changes)

# 500 sessions in all modes, while a worker is killed each second, messages and answers come twice and
# three times, and sockets are dropped. SESSIONS=<n> is another number; `make test` runs 16.
chaos: install
	@CHAOS_SESSIONS=$(or $(SESSIONS),500) $(STACK_PYTHON) infra/local/chaos.py

# The figures of the README with their limits, from a release build and DynamoDB Local. PROFILE=dev
# only tests the benchmark. PART=planned measures planned sessions alone. PEERS=1 installs LangGraph,
# DBOS and Restate into .stack/ and compares empty steps with theirs instead: some six minutes.
bench: install
	@PYTHONPATH=infra/local PROFILE=$(PROFILE) PART=$(PART) PEERS=$(PEERS) $(STACK_PYTHON) tests/benches/run.py

# All checks that need no running stack.
check: install-checks
	@$(STACK_PYTHON) infra/local/check.py

# Generates the API documents from the code: infra/openapi.json, infra/asyncapi.json. A test fails
# if they are outdated. The clients' types follow.
api: install-checks
	UPDATE_API=1 cargo test --package api --test documents --locked --quiet
	@$(STACK_PYTHON) shared/clients/generate.py

# Builds the Python and the TypeScript client into target/clients/. Nothing is published.
clients: install-checks
	@$(STACK_PYTHON) shared/clients/build.py

# Deploys to AWS. Variables: STACK_NAME (intermission), AWS_PROFILE, AWS_REGION, JWT_ISSUER,
# JWT_AUDIENCE and any other parameter of the template; SKIP_CHECKS, DELETE_FAILED_STACK and
# ALLOW_REPLACEMENT where it asks for them. See infra/OPERATIONS.md.
deploy: install
	@PYTHONPATH=infra/local $(STACK_PYTHON) infra/deploy.py deploy

# Shows what is deleted and what is kept. Deletes with CONFIRM=<the stack's name>.
destroy: install
	@PYTHONPATH=infra/local $(STACK_PYTHON) infra/deploy.py destroy

# Restores sessions: FROM=<a restored copy of the table> SESSIONS="<id> <id>".
restore: install
	@PYTHONPATH=infra/local $(STACK_PYTHON) infra/restore.py

# Deploys the template with its roles to MiniStack alone, then runs the smoke tests. By default the
# binaries are those of the tests, stripped. PROFILE=release uses those of `make deploy`.
deploy-local: install
	@PROFILE=$(PROFILE) $(STACK_PYTHON) infra/local/smoke.py

# The SBOM of the functions: target/sbom.cdx.json.
sbom: install
	@$(STACK_PYTHON) infra/local/supply.py --sbom

# Checks for known vulnerabilities too. Needs the network and `cargo install cargo-deny --locked`.
audit:
	cargo deny --locked check

fmt:
	cargo fmt --all

install:
	@$(PYTHON) infra/local/install.py

install-checks:
	@$(PYTHON) infra/local/install.py --checks

clean-stack:
	rm -rf .stack
