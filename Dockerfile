# Worker, and with another command the HTTP API: leasehold api. `--target cli` makes an image of the command line alone, for jobs
# that lease over HTTP. Debian, because Temporal's native library is built for glibc.
#
# Each stage that is kept gets one folder from a stage that is not: packages in the versions of the lock file, installed without
# scripts, without what no program loads. docs/compose.md has the arithmetic.

FROM node:22.23.2-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
# No install script is needed, and whatever npm the image brings runs none.
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build \
  && chmod +x dist/cli/main.js \
  && node scripts/service-manifest.mjs /service \
  && node scripts/service-manifest.mjs /cli --cli

FROM build AS cli-files
WORKDIR /cli
RUN npm ci --ignore-scripts --omit=dev
RUN cp -R /app/dist /app/LICENSE ./ && node /app/scripts/prune-service.mjs .

FROM build AS service-files
WORKDIR /service
RUN npm ci --ignore-scripts --omit=dev
RUN cp -R /app/dist /app/LICENSE ./ && node /app/scripts/prune-service.mjs .

# Node and nothing that installs anything.
FROM node:22.23.2-slim AS runtime
RUN rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /opt/yarn-* \
    /usr/local/bin/yarn /usr/local/bin/yarnpkg \
  && ln -s /app/dist/cli/main.js /usr/local/bin/leasehold
ENV NODE_ENV=production
WORKDIR /app
LABEL org.opencontainers.image.title="Leasehold" \
  org.opencontainers.image.licenses="MIT"
# By number, so that Kubernetes' runAsNonRoot can tell.
USER 1000:1000

FROM runtime AS cli
LABEL org.opencontainers.image.description="Leasehold's command line: runs programs on leased credentials."
COPY --from=cli-files /cli ./
ENTRYPOINT ["leasehold"]

FROM runtime AS service
LABEL org.opencontainers.image.description="Leasehold's worker and HTTP API: one-off credentials that are removed when their lease ends."
COPY --from=service-files /service ./
CMD ["leasehold", "worker"]
