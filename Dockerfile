# The worker, and with another command the HTTP API: leasehold api. Debian, because Temporal's native library is built for glibc.
FROM node:22.21.1-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
# No install script is needed, and whatever npm the image brings runs none.
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build
# What worker and API need, in the versions of the lock file.
RUN node scripts/service-manifest.mjs /service

FROM node:22.21.1-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /service ./
RUN npm ci --ignore-scripts --omit=dev && npm cache clean --force
COPY --from=build /app/dist ./dist
RUN ln -s /app/dist/cli/main.js /usr/local/bin/leasehold && chmod +x dist/cli/main.js
USER node
CMD ["leasehold", "worker"]
