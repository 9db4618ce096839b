# The player's script, by its lock file.
FROM node:22-slim AS player
WORKDIR /player
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts

# The packages by their hashes, then the product itself.
FROM python:3.12-slim AS build
RUN python -m venv /venv
COPY requirements/run.txt /tmp/run.txt
RUN /venv/bin/pip install --no-cache-dir --require-hashes -r /tmp/run.txt
# Speech to text, for captions: another 400 MB, for who has a model. --build-arg CAPTIONS=1
ARG CAPTIONS=0
COPY requirements/captions.txt /tmp/captions.txt
RUN if [ "$CAPTIONS" = 1 ]; then \
    /venv/bin/pip install --no-cache-dir --require-hashes -r /tmp/captions.txt; fi
WORKDIR /source
COPY . .
COPY --from=player /player/node_modules/hls.js/dist/hls.light.min.mjs livecommerce/static/vendor/hls.mjs
RUN /venv/bin/python scripts/translations.py compile \
    && /venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.12-slim
RUN useradd --system --uid 1000 --create-home livecommerce \
    && install -d -o livecommerce -g livecommerce /data
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 LIVECOMMERCE_DATA=/data
USER livecommerce
WORKDIR /data
VOLUME /data
EXPOSE 8000
CMD ["livecommerce", "up", "--host", "0.0.0.0"]
