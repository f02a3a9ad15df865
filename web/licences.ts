import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Plugin } from 'vite'

interface Package {
  name: string
  version: string
  licence: string
  text: string
}

/** Writes licences.txt: name, version and licence text of every package that has a line in the bundle. */
export function licences(): Plugin {
  return {
    name: 'licences',
    apply: 'build',
    generateBundle(_options, bundle) {
      const found = new Map<string, Package>()
      for (const part of Object.values(bundle)) {
        if (part.type !== 'chunk') continue
        for (const id of part.moduleIds) {
          const folder = packageFolder(id)
          if (folder && !found.has(folder)) found.set(folder, describe(folder))
        }
      }
      const packages = [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
      const missing = packages.filter((p) => p.text === '')
      if (missing.length > 0) this.error(`no licence text in ${missing.map((p) => p.name).join(', ')}`)
      this.emitFile({ type: 'asset', fileName: 'licences.txt', source: page(packages) })
    },
  }
}

/** The folder of the package that a module belongs to; none for our own modules and the bundler's. */
function packageFolder(id: string): string | undefined {
  const path = id.replace(/^\0/, '').split('?')[0] ?? ''
  if (!path.includes('/node_modules/')) return undefined
  for (let at = dirname(path); at.includes('/node_modules/'); at = dirname(at)) {
    const manifest = join(at, 'package.json')
    if (existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).version) return at
  }
  return undefined
}

function describe(folder: string): Package {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const file = readdirSync(folder).sort().find((name) => /^(licen[cs]e|copying)/i.test(name))
  const text = file ? readFileSync(join(folder, file), 'utf8').replaceAll('\r\n', '\n').trim() : ''
  return { name: manifest.name, version: manifest.version, licence: manifest.license, text }
}

function page(packages: Package[]): string {
  const head = 'The console contains these packages, under their own licences.\n'
  return head + packages.map((p) => `\n${'-'.repeat(78)}\n${p.name} ${p.version}: ${p.licence}\n\n${p.text}\n`).join('')
}
