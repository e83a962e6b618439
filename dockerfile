# syntax=docker/dockerfile:1
# Two stages: the first has a compiler for mysqlclient, the second has what runs.

FROM python:3.13-slim AS builder
RUN apt-get update \
    && apt-get install --yes --no-install-recommends build-essential pkg-config libmariadb-dev \
    && rm -rf /var/lib/apt/lists/*
RUN python -m venv /venv
COPY requirements-mysql.txt requirements-s3.txt requirements-aws.txt requirements-celery.txt /tmp/
RUN /venv/bin/pip install --no-cache-dir --require-hashes -r /tmp/requirements-mysql.txt -r /tmp/requirements-s3.txt \
    -r /tmp/requirements-aws.txt -r /tmp/requirements-celery.txt

FROM python:3.13-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libmariadb3 mariadb-client \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --user-group --home-dir /app --no-create-home app \
    && install --directory --owner app --group app /data /data/media
COPY --from=builder /venv /venv
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    MEDIA_ROOT=/data/media \
    STATUS_ROOT=/data/status \
    STATIC_ROOT=/app/staticfiles \
    DATABASE_URL=sqlite:////data/db.sqlite3
WORKDIR /app
COPY manage.py pyproject.toml ./
COPY incident_response incident_response
COPY users users
COPY responders responders
COPY incidents incidents
COPY core core
COPY intake intake
COPY alerts alerts
COPY logs logs
COPY integrations integrations
COPY paging paging
COPY notifications notifications
COPY status_page status_page
COPY reviews reviews
COPY assistant assistant
COPY remediation remediation
COPY agent agent
COPY console console
# The back office shows this page where a source of log lines is set up; vendors' guides lie with the vendors.
COPY docs/logs.md docs/logs.md
COPY locale locale
COPY templates templates
COPY static static
# The keys are for this one command; nothing of them stays in the image.
RUN python -m compileall -q core incident_response users responders incidents intake alerts logs integrations paging notifications status_page reviews assistant remediation console \
    && SECRET_KEY=only-for-collecting-static-files-0123456789 HISTORY_KEY=only-for-collecting-static-files-9876543210 \
    python manage.py collectstatic --noinput --verbosity 0
USER app
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=6s --start-period=30s CMD ["python", "-m", "core.server.probe"]
CMD ["python", "manage.py", "serve", "--no-worker", "--host", "0.0.0.0"]
