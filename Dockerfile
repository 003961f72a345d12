# Builds with the Swift toolchain and ships the binary with the three C libraries and redis-server, for the embedded
# store.
#
#   docker build -t hailwhale .
#   docker run -p 127.0.0.1:8125:8125/udp -p 127.0.0.1:8085:8085 -v hailwhale:/var/lib/hailwhale hailwhale
#
# Both base images may be others, such as a registry's own copies: --build-arg BASE_IMAGE=mirror.example/debian:bookworm
ARG SWIFT_IMAGE=swift:6.3.1-bookworm
ARG BASE_IMAGE=debian:bookworm-slim
FROM ${SWIFT_IMAGE} AS build
RUN apt-get update --quiet \
    && DEBIAN_FRONTEND=noninteractive apt-get install --quiet --yes --no-install-recommends \
        libhiredis-dev libmicrohttpd-dev libsodium-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY Package.swift ./
COPY Sources Sources
COPY Tests Tests
RUN swift build -c release --static-swift-stdlib --product hailwhale \
    && install -D --strip "$(swift build -c release --show-bin-path)/hailwhale" /out/hailwhale

FROM ${BASE_IMAGE}
# The package starts no service here: the base image's policy-rc.d forbids it. Not every base image has apt clean up
# after itself, and what apt leaves is 80 MB.
RUN apt-get update --quiet \
    && DEBIAN_FRONTEND=noninteractive apt-get install --quiet --yes --no-install-recommends \
        libhiredis0.14 libmicrohttpd12 libsodium23 redis-server tzdata \
    && apt-get clean \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 8125 hailwhale \
    && useradd --uid 8125 --gid 8125 --home-dir /var/lib/hailwhale --create-home --skel /nonexistent \
        --shell /usr/sbin/nologin hailwhale \
    && chmod 0700 /var/lib/hailwhale
COPY --from=build /out/hailwhale /usr/local/bin/hailwhale
# By number, so that a platform that demands another user than root can see that it is one.
USER 8125:8125
VOLUME /var/lib/hailwhale
# In a container nothing arrives from loopback: published ports show the bridge's private address. Writes are taken
# from private addresses, so publish the ports to 127.0.0.1 or to a private network only. Reads stay closed to
# others until HAILWHALE_READ says otherwise. The embedded store keeps its counts on the volume; a Redis of your own is
# HAILWHALE_STORE=redis://host:6379.
ENV HAILWHALE_UDP=0.0.0.0:8125 \
    HAILWHALE_HTTP=0.0.0.0:8085 \
    HAILWHALE_STORE=embedded \
    HAILWHALE_DATA=/var/lib/hailwhale/data \
    HAILWHALE_PLAIN=private
EXPOSE 8125/udp 8085/tcp
STOPSIGNAL SIGTERM
# Follows the port of HAILWHALE_HTTP; an agent that answers no HTTP needs --no-healthcheck.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
    CMD ["bash", "-c", "http=${HAILWHALE_HTTP:-:8085}; exec 3<>/dev/tcp/127.0.0.1/${http##*:} && printf 'GET /healthz HTTP/1.0\\r\\nHost: 127.0.0.1\\r\\n\\r\\n' >&3 && head -n 1 <&3 | grep -q ' 200 '"]
ENTRYPOINT ["hailwhale"]
CMD ["run"]
