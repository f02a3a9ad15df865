import { expect, test } from './console.ts'

for (const colorScheme of ['light', 'dark'] as const) {
  for (const width of [360, 1280]) {
    test.describe(`${colorScheme}, ${width} px`, () => {
      test.use({ colorScheme, viewport: { width, height: 800 }, contextOptions: { reducedMotion: 'reduce' } })

      test('sign-in', async ({ console, page }) => {
        await page.goto('/sign-in')
        await console.axe('sign-in')
        await page.getByRole('button', { name: 'Sign in' }).click()
        await expect(page.getByRole('alert')).toHaveText('Paste a key first.')
        await console.axe('sign-in with an error')
        expect(await sideways(page)).toBe(false)
      })

      test('explore', async ({ console, page }) => {
        test.slow()
        const narrow = width < 720
        const show = async (name: string) => {
          if (narrow) await page.getByRole('button', { name, exact: true }).click()
        }
        await console.signIn()
        await page.goto('/explore?x=top-suppliers')
        await expect(console.strip).toBeVisible()
        await console.axe('a response')
        expect(await sideways(page)).toBe(false)

        await show('Browse')
        await console.axe('the examples')
        await page.getByRole('tab', { name: 'Schema' }).click()
        await expect(page.getByRole('button', { name: /^Query/ }).first()).toBeVisible()
        await console.axe('the schema')
        await page.getByRole('button', { name: /^Query/ }).first().click()
        await console.axe('a type')
        await page.getByLabel('Search the schema').fill('emission')
        await console.axe('finds in the schema')

        await show('Operation')
        await console.write(console.editor, 'query Wrong { suppliers(first: 0) { totalCount } viewer { nme } }')
        await expect(page.getByText('1 problem', { exact: true })).toBeVisible()
        await console.axe('a problem in the editor')
        await console.run.click()
        await expect(page.getByRole('region', { name: /error/ })).toBeVisible()
        await console.axe('an error')
        await page.getByRole('tab', { name: 'Headers' }).click()
        await console.axe('the headers')
        expect(await sideways(page)).toBe(false)
      })

      test('not found', async ({ console, page }) => {
        await page.goto('/nothing')
        await expect(page.getByRole('heading', { name: 'There is no such page' })).toBeVisible()
        await console.axe('not found')
        await page.keyboard.press('?')
        await console.axe('the keys')
      })
    })
  }
}

async function sideways(page: import('@playwright/test').Page): Promise<boolean> {
  return page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth)
}
