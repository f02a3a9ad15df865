import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vite'
import { licences } from './licences.ts'

const server = process.env.CARBONGRAPH_URL ?? 'http://127.0.0.1:8080'
const proxied = { target: server, changeOrigin: false }

// File names carry no hash, so that a change is a difference and not a new file: the server puts the hash in the address.
export default defineConfig({
  base: './',
  plugins: [svelte(), licences()],
  build: {
    target: 'es2022',
    outDir: 'dist',
    emptyOutDir: true,
    cssCodeSplit: false,
    modulePreload: false,
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 800,
    rolldownOptions: {
      output: {
        entryFileNames: 'app.js',
        chunkFileNames: (chunk) => `${chunk.name.toLowerCase()}.js`,
        assetFileNames: (asset) => (asset.names[0]?.endsWith('.css') ? 'app.css' : '[name][extname]'),
      },
    },
  },
  server: {
    proxy: { '/graphql': proxied, '/session': proxied, '/schema.graphql': proxied },
  },
})
