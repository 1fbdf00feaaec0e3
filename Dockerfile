# The static binary on an empty base, as a user without rights.
#
#     docker build --tag migrate .
#     docker build --tag migrate:shell --target shell .      # for pipelines that need a shell in the image

FROM rust:1-alpine AS build
RUN apk add --no-cache musl-dev
WORKDIR /src
COPY . .
RUN cargo build --release --locked --bin migrate && mkdir -p /empty/work /empty/var/lib/migrate

FROM alpine:3 AS shell
RUN apk add --no-cache ca-certificates && adduser -D -u 65532 migrate
COPY --from=build /src/target/release/migrate /usr/local/bin/migrate
USER 65532:65532
WORKDIR /work

FROM scratch
COPY --from=shell /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build --chown=65532:65532 /empty/ /
COPY --from=build /src/target/release/migrate /usr/local/bin/migrate
ENV PATH=/usr/local/bin XDG_STATE_HOME=/var/lib/migrate
USER 65532:65532
WORKDIR /work
ENTRYPOINT ["/usr/local/bin/migrate"]
