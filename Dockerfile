# The worker, the gateway, the dashboard, and every other command of Freshet, without the extras a laptop needs.
FROM python:3.11-slim AS build
RUN python -m venv /opt/freshet
ENV PATH=/opt/freshet/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
# The locked packages first: this layer changes only with the lock.
COPY requirements-core.lock ./
# --no-deps: the lock is whole, and pip would look for the newest of what one asks for with an extra.
RUN pip install --no-deps --require-hashes --only-binary :all: -r requirements-core.lock
COPY pyproject.toml ./
COPY models models
COPY tables tables
COPY agents agents
COPY app app
RUN pip install --no-deps --no-build-isolation .

FROM python:3.11-slim
RUN useradd --system --uid 10001 --no-create-home freshet
COPY --from=build /opt/freshet /opt/freshet
# Compiled kernels are cached where an unprivileged user may write.
ENV PATH=/opt/freshet/bin:$PATH PYTHONUNBUFFERED=1 NUMBA_CACHE_DIR=/tmp/numba
USER freshet
WORKDIR /tmp
ENTRYPOINT ["freshet"]
CMD ["worker"]
