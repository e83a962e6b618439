# Verbs: run, test, check, fix, languages, bench, chaos, e2e, browser, screenshots; and setup, secret, lock.
# `make run PORT=8001 DATABASE_URL=mysql://…` and the like set variables for one run.

HOST ?= 127.0.0.1
PORT ?= 8000
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all:
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && command -v $$p && break; done)

# Keys for runs that keep nothing.
THROWAWAY := SECRET_KEY=throwaway-throwaway-throwaway-throwaway-0123456789-abcdefgh \
	HISTORY_KEY=throwaway-throwaway-throwaway-throwaway-9876543210-hgfedcba
SCRATCH := DATABASE_URL=sqlite:///$(CURDIR)/$(VENV)/check.sqlite3
PRODUCTION := $(THROWAWAY) $(SCRATCH) DEBUG=false PLAIN_HTTP=false ALLOWED_HOSTS=incidents.example.org \
	PUBLIC_URL=https://incidents.example.org TRUSTED_PROXIES=1
# What mypy checks strictly: the ground floor, intake and vendors, and of each app services and pure modules.
APPS := users responders incidents alerts logs paging notifications status_page reviews assistant remediation console
TYPED_NAMES := services services.py jobs.py permissions.py vocabulary.py workflow.py sla.py digest.py snapshot.py \
	percentiles.py metrics.py tokens.py attachments search imports oncall.py reading formats.py channels \
	detection.py assigning.py decide.py effects.py matching.py routing.py transitions.py updates.py queries.py templates.py sources \
	planning.py policies.py targets.py access.py http.py rendering serving.py totp.py sealing.py webauthn.py oidc \
	binding.py narrative.py reminding.py validation.py providers learning redacting steps guards.py plans.py agent \
	likeness.py suggestions.py correlation.py anomalies.py summaries.py
TYPED := $(filter-out %/tests %/migrations,$(wildcard core/*.py core/db core/outbound core/text $(filter-out core/api/configuration.py,$(wildcard core/api/*.py)) core/server $(filter-out intake/admin.py intake/filters.py intake/serializers.py intake/urls.py intake/views.py,$(wildcard intake/*.py)) intake/models intake/services \
	$(filter-out $(wildcard integrations/tests/* integrations/*/*_pb2.py),$(wildcard integrations/*.py integrations/*/*.py)))) \
	$(addprefix console/,charts live navigation.py pages.py preferences.py rows.py undo.py) \
	$(wildcard $(foreach app,$(APPS),$(addprefix $(app)/,$(TYPED_NAMES)))) \
	agent/incident_agent.py $(filter-out incident_response/settings.py,$(wildcard incident_response/*.py)) \
	$(addprefix incident_response/legacy/,answers.py authentication.py base.py endpoints.py labels.py reading.py redacting.py setup.py splunk.py words.py)

# Runs what follows with the Makefile locked (the system lets go of it with the process); without Python, just runs it.
ANY_PYTHON = $(or $(wildcard $(PY)),$(PYTHON))
ONE_AT_A_TIME = $(addsuffix $(LOCKED),$(ANY_PYTHON))
LOCKED = $() -S -c 'import fcntl, os, sys; lock = os.open("Makefile", os.O_RDONLY); fcntl.flock(lock, fcntl.LOCK_EX); \
	os.set_inheritable(lock, True); os.execvp(sys.argv[1], sys.argv[1:])'

.PHONY: run ready setup test check fix languages bench chaos e2e browser screenshots secret lock

# Of several in one folder, one sets it up while the others wait.
run:
	@$(ONE_AT_A_TIME) $(MAKE) --no-print-directory ready
	@exec $(PY) manage.py serve --prepare --host $(HOST) --port $(PORT)

ready: setup .env staticfiles/staticfiles.json
	@:

setup: $(VENV)/.runtime

test: $(VENV)/.dev
	@$(PY) -m tests $(TESTS)

check: $(VENV)/.dev
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	@$(THROWAWAY) $(PY) -m mypy $(TYPED)
	@$(THROWAWAY) $(SCRATCH) $(PY) manage.py makemigrations --check --dry-run
	@$(PRODUCTION) $(PY) manage.py check --deploy --fail-level WARNING
	@$(THROWAWAY) PLAIN_HTTP=true $(PY) -m tests.databases
	@$(PRODUCTION) $(PY) manage.py spectacular --validate --fail-on-warn --file $(VENV)/openapi.yaml
	@$(THROWAWAY) $(SCRATCH) $(PY) manage.py test tests.test_architecture --verbosity 0
	@$(PY) -m tests.house --awaited

fix: $(VENV)/.dev
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

# Brings the catalogues in locale/ up to date with the program; `AWAIT=--await` lets texts wait for their translation.
languages: $(VENV)/.dev
	@$(THROWAWAY) $(PY) -m tests.languages $(AWAIT)

bench: $(VENV)/.dev
	BENCH=$(BENCH) ONLY=$(ONLY) $(PY) -m benchmarks

chaos: $(VENV)/.dev
	@$(PY) -m benchmarks.paging.chaos $(if $(INCIDENTS),--incidents $(INCIDENTS)) $(if $(DATABASE),--database $(DATABASE)) \
		$(if $(ENGINE),--engine $(ENGINE))
	@$(PY) -m benchmarks.remediation.chaos $(if $(KILLS),--kills $(KILLS)) $(if $(DATABASE),--database $(DATABASE))

e2e: $(VENV)/.runtime
	@$(PY) -m e2e $(CLIENTS)

browser: $(VENV)/.dev
	@$(PY) -m e2e.browser $(TESTS)

screenshots: $(VENV)/.dev
	@$(PY) -m e2e.browser.screenshots

secret:
	@$(or $(PYTHON),python3) -c 'import secrets; print(secrets.token_urlsafe(48))'

# Pin what pyproject.toml asks for, with hashes, for every platform. `make lock UPGRADE=--upgrade` takes newer versions.
LOCK := $(PY) -m uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header --no-annotate pyproject.toml
lock: $(VENV)/.dev
	$(LOCK) $(UPGRADE) --all-extras --output-file $(VENV)/all.txt
	$(LOCK) --constraint $(VENV)/all.txt --output-file requirements.txt
	$(LOCK) --constraint $(VENV)/all.txt --extra dev --output-file requirements-dev.txt
	$(LOCK) --constraint $(VENV)/all.txt --extra mysql --output-file requirements-mysql.txt
	$(LOCK) --constraint $(VENV)/all.txt --extra s3 --output-file requirements-s3.txt
	$(LOCK) --constraint $(VENV)/all.txt --extra aws --output-file requirements-aws.txt
	$(LOCK) --constraint $(VENV)/all.txt --extra celery --output-file requirements-celery.txt

$(PY):
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed and was not found; install it, or name it with PYTHON=/path/to/python3."; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; $(PYTHON) is older or does not run."; exit 1; }
	@echo "Making $(VENV) with $(PYTHON) …"
	@"$(PYTHON)" -m venv $(VENV) >$(VENV).log 2>&1 && rm -f $(VENV).log \
		|| { rm -rf $(VENV) $(VENV).log; echo "This Python cannot make virtual environments; on Debian: apt install python3-venv."; exit 1; }

$(VENV)/.runtime: requirements.txt | $(PY)
	@echo "Installing packages …"
	@$(PIP) -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt | $(VENV)/.runtime
	@echo "Installing the developers' packages …"
	@$(PIP) -r requirements-dev.txt
	@touch $@

.env:
	@umask 077 && { \
		echo "# Made by make run. .env.template lists every setting; docs/operations.md explains them."; \
		echo "SECRET_KEY=$$($(PY) -c 'import secrets; print(secrets.token_urlsafe(48))')"; \
		echo "HISTORY_KEY=$$($(PY) -c 'import secrets; print(secrets.token_urlsafe(48))')"; \
		echo "PLAIN_HTTP=true"; \
	} > .env.new && mv .env.new .env
	@echo "Wrote .env with secrets of its own."

staticfiles/staticfiles.json: $(VENV)/.runtime incident_response/settings.py $(shell find static -type f 2>/dev/null)
	@echo "Collecting static files …"
	@$(THROWAWAY) $(PY) manage.py collectstatic --noinput --verbosity 0
	@touch $@
