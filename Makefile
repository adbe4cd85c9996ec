# The two commands are `make demo` and `make test`; each sets up all that it needs, below .stack/ and target/.
# Ports and folders: HTTP_PORT, DYNAMODB_PORT, AWS_PORT, STACK_DIR. Any parameter of infra/template.yaml can be set by
# its name in upper snake case (MODEL_PROVIDER=openai OPENAI_BASE_URL=… make up).

PYTHON ?= python3
STACK_PYTHON = .stack/venv/bin/python

.PHONY: demo test up bench check api deploy destroy restore deploy-local sbom audit fmt install install-checks clean-stack

# Real tasks, a killed worker, questions to whoever sits at the terminal, suspend and resume; exits 0 only if all of it
# happened. Without a terminal, or an answer within seconds, a default answers.
demo: install
	@$(STACK_PYTHON) infra/local/demo.py

# Everything that is checked: formats, lints, the quick tests, and the tests through the running stack.
test: install-checks
	@$(STACK_PYTHON) infra/local/check.py --stack

# The stack in the foreground until Ctrl-C. EXECUTOR=native runs the workers in MiniStack, DATA=<folder> keeps table and
# bucket, so that sessions outlive the stack. QUICK=1 is the stack that the tests run against. A change of the source restarts
# the functions; RELOAD=0 leaves them be.
up: install
	@$(STACK_PYTHON) infra/local/up.py $(if $(QUICK),--quick) $(if $(filter 0,$(RELOAD)),--ignore-changes)

# The figures of the README beside their bars, from a release build and DynamoDB Local (PROFILE=dev tries the benchmark itself).
bench: install
	@PYTHONPATH=infra/local PROFILE=$(PROFILE) $(STACK_PYTHON) tests/benches/run.py

# What needs no running stack.
check: install-checks
	@$(STACK_PYTHON) infra/local/check.py

# The documents of the API, drawn up from the code: infra/openapi.json, infra/asyncapi.json. A test says when they are not current.
api:
	UPDATE_API=1 cargo test --package api --test documents --locked --quiet

# To AWS: STACK_NAME (intermission), AWS_PROFILE, AWS_REGION, JWT_ISSUER, JWT_AUDIENCE and any other parameter of the
# template; infra/OPERATIONS.md says the rest.
deploy: install
	@PYTHONPATH=infra/local $(STACK_PYTHON) infra/deploy.py deploy

# Says what goes and what stays, and does it with CONFIRM=<the stack's name>.
destroy: install
	@PYTHONPATH=infra/local $(STACK_PYTHON) infra/deploy.py destroy

# FROM=<a restored copy of the table> SESSIONS="<id> <id>": takes sessions back.
restore: install
	@PYTHONPATH=infra/local $(STACK_PYTHON) infra/restore.py

# The template under its own roles, in MiniStack alone; then the smoke tests. The binaries are those of the tests,
# stripped; PROFILE=local takes optimised ones without LTO, PROFILE=release those of `make deploy`.
deploy-local: install
	@PROFILE=$(PROFILE) $(STACK_PYTHON) infra/local/smoke.py

# What is linked into the functions: target/sbom.cdx.json.
sbom: install
	@$(STACK_PYTHON) infra/local/supply.py --sbom

# Known vulnerabilities too; needs the network and `cargo install cargo-deny --locked`.
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
