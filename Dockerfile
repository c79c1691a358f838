# The worker, and with another command the HTTP API: node dist/api/main.js. Debian, because Temporal's native library is built for glibc.
FROM node:22.21.1-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY . .
RUN npm run build

FROM node:22.21.1-slim
ENV NODE_ENV=production
WORKDIR /app
COPY package.json package-lock.json ./
# Optional dependencies stay in: they are the clients of single providers.
RUN npm ci --omit=dev && npm cache clean --force
COPY --from=build /app/dist ./dist
USER node
CMD ["node", "dist/worker/main.js"]
