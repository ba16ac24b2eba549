# For the tagger add --build-arg EXTRAS=[tagger] to the first of these commands.
# docker build -t pastelbot . && docker run --gpus all --read-only -e PASTELBOT_TOKEN=... -v pastelbot:/state pastelbot
# Or compose.yaml, which builds and runs the same.
# The tag follows the security fixes of its release. To build from the same bytes for ever, name a digest, which fixes
# those too: --build-arg BASE=python:3.11-slim-bookworm@sha256:...
ARG BASE=python:3.11-slim-bookworm
FROM ${BASE}

RUN useradd --create-home pastelbot && mkdir /state && chown pastelbot /state
WORKDIR /app
COPY pyproject.toml constraints.txt README.md LICENSE bot.py ./
COPY LICENSES ./LICENSES
COPY pastelbot ./pastelbot
ARG EXTRAS=
RUN pip install --no-cache-dir --constraint constraints.txt ".${EXTRAS}"

USER pastelbot
VOLUME /state
ENV PASTELBOT_STORAGE__DATABASE=/state/pastelbot.sqlite3 \
    PASTELBOT_STORAGE__PICTURES=/state/pictures \
    PASTELBOT_CHECKPOINT__CACHE_DIR=/state/models \
    HF_HOME=/state/models \
    TMPDIR=/state/tmp \
    PYTHONUNBUFFERED=1
STOPSIGNAL SIGTERM
# Loading a checkpoint is healthy; a bot that members cannot use is not (see Monitoring in the operator guide).
HEALTHCHECK --interval=60s --timeout=15s --start-period=2m --retries=3 CMD ["pastelbot", "health"]
# Everything that is written is on the volume, so the root may be read-only; config.toml and the token's file are there too.
WORKDIR /state
ENTRYPOINT ["sh", "-c", "mkdir -p \"$TMPDIR\" && exec pastelbot \"$@\"", "pastelbot"]
CMD ["run"]
