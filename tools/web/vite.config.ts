import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'

import { notices } from './notices'

// Relative addresses throughout: the page lives under a random path (docs/CLINIC.md).
export default defineConfig({
  base: './',
  plugins: [notices()],
  resolve: {
    alias: [{ find: /^numcodecs\/.*$/, replacement: fileURLToPath(new URL('src/no_codec.ts', import.meta.url)) }],
  },
  build: {
    target: 'es2021',
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 2000,
  },
})
