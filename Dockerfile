# For the tagger add --build-arg EXTRAS=[tagger] to the first of these commands.
# docker build -t pastelbot . && docker run --gpus all -e PASTELBOT_TOKEN=... -v pastelbot:/state pastelbot
FROM python:3.11-slim

RUN useradd --create-home pastelbot && mkdir /state && chown pastelbot /state
WORKDIR /app
COPY pyproject.toml constraints.txt README.md LICENSE bot.py ./
COPY pastelbot ./pastelbot
ARG EXTRAS=
RUN pip install --no-cache-dir --constraint constraints.txt ".${EXTRAS}"

USER pastelbot
VOLUME /state
ENV PASTELBOT_STORAGE__DATABASE=/state/pastelbot.sqlite3 \
    PASTELBOT_STORAGE__PICTURES=/state/pictures \
    PASTELBOT_CHECKPOINT__CACHE_DIR=/state/models \
    PYTHONUNBUFFERED=1
STOPSIGNAL SIGTERM
CMD ["pastelbot", "run"]
