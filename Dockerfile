# Written but not run: there was no container engine where it was written. If you are the first to build it, please say
# so here.
#
#   docker build -t tonghop .
#   docker run --rm -v tonghop:/var/lib/tonghop tonghop init      (once: makes the database)
#   docker run -p 127.0.0.1:8080:8080 -v tonghop:/var/lib/tonghop tonghop        (on SQLite; PostgreSQL: docker-compose.yml)

# The image has the C compiler, make and perl that build the bundled SQLite, libpq and OpenSSL.
FROM rust:1.95-bookworm AS builder
WORKDIR /src
COPY . .
# `dist` is the profile to ship (thin LTO). BuildKit's caches keep the dependencies for the next build, so the binary is
# copied out of them.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --profile dist --locked \
    && cp target/dist/tonghop /usr/local/bin/tonghop

# Needs neither libpq nor libssl: both are in the binary.
FROM debian:bookworm-slim
RUN useradd --system --user-group --no-create-home --home-dir /var/lib/tonghop --shell /usr/sbin/nologin tonghop \
    && install -d -o tonghop -g tonghop -m 0700 /var/lib/tonghop
COPY --from=builder /usr/local/bin/tonghop /usr/local/bin/tonghop
ENV DATABASE_URL=sqlite:/var/lib/tonghop/tonghop.db \
    TONGHOP_KEYS=/var/lib/tonghop/keys \
    TONGHOP_LISTEN=0.0.0.0:8080
USER tonghop
WORKDIR /var/lib/tonghop
VOLUME /var/lib/tonghop
EXPOSE 8080
ENTRYPOINT ["tonghop"]
CMD ["serve"]
