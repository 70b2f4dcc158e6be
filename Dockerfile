# One image, four commands: `python -m bot`, `python -m workers`, `python -m workers.ticker`, `python -m watch`.
# No lab, no secrets: tokens and the Redis URL come from the environment at run time.
FROM python:3.11-slim AS build
WORKDIR /app
COPY requirements/runtime.txt requirements/runtime.txt
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes -r requirements/runtime.txt

FROM python:3.11-slim
# Change windows are written in time zones: slim images carry no zone data.
# A process 1 of its own (tini): signals that come before a role has its handlers end it, as anywhere else.
RUN apt-get update && apt-get install -y --no-install-recommends tini tzdata && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin ottla
COPY --from=build /venv /venv
WORKDIR /app
COPY bot bot
COPY workers workers
COPY watch watch
COPY policies policies
COPY ledger ledger
COPY cluster cluster
COPY changes changes
USER 10001
# No OTTLA_POLICIES here: the environment would win over a settings file's `policies`. The default is /app/policies.
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
ENTRYPOINT ["tini", "--"]
CMD ["python", "-m", "bot"]
