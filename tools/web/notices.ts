// The licences of what the page's bundle is made of, as assets/notices.txt.
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import type { Plugin } from 'vite'

interface Manifest {
  name: string
  version: string
  license?: string
  author?: string | { name: string }
}

function packageFolder(module: string): string | undefined {
  const marker = `${sep}node_modules${sep}`
  if (!module.includes(marker)) return undefined
  let folder = dirname(module)
  while (!existsSync(join(folder, 'package.json')) || !manifest(folder).version) folder = dirname(folder)
  return folder
}

function manifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
}

function notice(folder: string): string {
  const { name, version, license, author } = manifest(folder)
  const who = typeof author === 'object' ? author.name : author
  const file = readdirSync(folder).find((f) => /^licen[cs]e/i.test(f))
  const text = file === undefined ? '' : readFileSync(join(folder, file), 'utf8').trim() + '\n'
  return `${name} ${version}: ${license ?? 'see its home page'}${who === undefined ? '' : `, ${who}`}\n${text}`
}

export function notices(): Plugin {
  return {
    name: 'notices',
    generateBundle(_options, bundle) {
      const folders = new Set<string>()
      for (const output of Object.values(bundle)) {
        if (output.type !== 'chunk') continue
        for (const module of output.moduleIds) {
          const folder = packageFolder(module.replace(/^\0/, '').replace(/\?.*$/, ''))
          if (folder !== undefined) folders.add(folder)
        }
      }
      const source = [...folders].map(notice).sort().join('\n----\n\n')
      this.emitFile({ type: 'asset', fileName: 'assets/notices.txt', source })
    },
  }
}
