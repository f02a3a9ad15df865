import AxeBuilder from '@axe-core/playwright'
import { test as base, expect, type Locator, type Page } from '@playwright/test'

/** The console as a reader meets it: by labels and roles. */
export class Console {
  readonly page: Page
  readonly editor: Locator
  readonly variables: Locator
  readonly response: Locator
  readonly run: Locator
  readonly strip: Locator

  constructor(page: Page) {
    this.page = page
    this.editor = page.getByRole('textbox', { name: 'GraphQL operation' })
    this.variables = page.getByRole('textbox', { name: 'Variables, JSON' })
    this.response = page.getByRole('textbox', { name: 'Response, JSON' })
    this.run = page.getByRole('button', { name: /^Run/ })
    this.strip = page.getByTestId('strip')
  }

  /** Trades the key for a session, as the sign-in page does. */
  async signIn(): Promise<void> {
    const answer = await this.page.context().request.post('/session', { data: { key: process.env.CARBONGRAPH_KEY } })
    expect(answer.status()).toBe(204)
  }

  async open(address = '/explore'): Promise<void> {
    await this.signIn()
    await this.page.goto(address)
    await expect(this.editor).toBeVisible()
  }

  /** Replaces what stands in an editor, as typing would. */
  async write(editor: Locator, text: string): Promise<void> {
    await editor.focus()
    await this.page.keyboard.press('ControlOrMeta+a')
    await this.page.keyboard.press('Delete')
    await this.page.keyboard.insertText(text)
  }

  async axe(what: string): Promise<void> {
    const { violations } = await new AxeBuilder({ page: this.page }).analyze()
    const found = violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`)
    expect(found, `accessibility of ${what}`).toEqual([])
  }
}

/** Every test fails where the page breaks its policy, asks another host, or throws. */
export const test = base.extend<{ console: Console }>({
  baseURL: async ({}, use) => use(process.env.CARBONGRAPH_URL),
  console: async ({ page, baseURL }, use) => {
    const faults: string[] = []
    await page.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (e) => console.error(`policy: ${e.violatedDirective} ${e.sourceFile} ${e.sample}`))
    })
    page.on('console', (message) => {
      if (message.text().startsWith('policy: ') || message.text().includes('Content Security Policy')) faults.push(message.text())
    })
    page.on('pageerror', (error) => faults.push(String(error.stack)))
    page.context().on('request', (request) => {
      const url = new URL(request.url())
      if (!['data:', 'blob:'].includes(url.protocol) && url.origin !== new URL(baseURL ?? '').origin) faults.push(`request to ${url.origin}`)
    })
    await use(new Console(page))
    expect(faults).toEqual([])
  },
})

export { expect }
