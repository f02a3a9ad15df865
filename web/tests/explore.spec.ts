import { expect, test } from './console.ts'

test('the one-time link signs in, once, and leaves the address', async ({ console, page, browser }) => {
  await page.goto(`/sign-in#${process.env.CARBONGRAPH_CODE}`)
  await expect(console.editor).toBeVisible()
  expect(page.url()).not.toContain(process.env.CARBONGRAPH_CODE)
  await expect(page.getByRole('button', { name: 'Sign out' })).toBeVisible()

  const other = await browser.newPage({ baseURL: process.env.CARBONGRAPH_URL })
  await other.goto(`/sign-in#${process.env.CARBONGRAPH_CODE}`)
  await expect(other.getByRole('alert').filter({ hasText: 'This link is not accepted' })).toBeVisible()
  await other.close()
})

test('a wrong key says so, the right one leads back to where the reader was going', async ({ console, page }) => {
  await page.goto('/explore?x=who-am-i')
  const key = page.getByLabel('API key')
  await key.fill('cg_wrong')
  await key.press('Enter')
  await expect(page.getByRole('alert').filter({ hasText: 'This key is not accepted' })).toBeVisible()
  await expect(key).toBeFocused()
  await key.fill(process.env.CARBONGRAPH_KEY ?? '')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expect(page).toHaveURL(/\/explore\?x=who-am-i$/)
  await expect(console.response).toContainText('"role"')
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]))
  expect(kept).not.toContain(process.env.CARBONGRAPH_KEY ?? 'cg_')

  await page.getByRole('button', { name: 'Sign out' }).click()
  await expect(page).toHaveURL(/\/sign-in$/)
  expect((await page.request.get('/session')).status()).toBe(401)
})

test('the first visit shows an example that has run, and what the answer says about itself', async ({ console, page }) => {
  await console.open('/')
  await expect(console.response).toContainText('"footprint"')
  const strip = console.strip.getByRole('listitem')
  await expect(strip.nth(0)).toHaveText('200')
  await expect(strip.nth(1)).toHaveText(/ (ms|s)\b/)
  await expect(strip.nth(2)).toHaveText(/\b(B|kB|MB)\b/)
  await page.getByRole('tab', { name: 'Headers' }).click()
  await expect(page.getByRole('rowheader', { name: 'content-type', exact: true })).toBeVisible()
})

test('every example answers without an error', async ({ console, page }) => {
  await console.open()
  const examples = page.getByRole('tabpanel', { name: 'Examples' }).getByRole('button')
  await expect(console.strip).toBeVisible()
  for (const example of await examples.all()) {
    const question = await example.locator('.question').textContent()
    await example.click()
    await expect(console.strip).toBeHidden()
    await console.run.click()
    await expect(console.strip, question ?? '').toBeVisible()
    await expect(console.strip.getByRole('listitem').first(), question ?? '').toHaveText('200')
    await expect(page.getByRole('region', { name: /error/ }), question ?? '').toBeHidden()
    await expect(page.getByText(/^\d+ problems?$/), question ?? '').toBeHidden()
  }
})

test('a mutation is run by a button that says it writes', async ({ console, page }) => {
  await console.open('/explore?x=import-dry-run')
  await expect(console.run).toHaveText(/^Run write/)
  await expect(console.strip).toBeHidden()
  await console.run.click()
  await expect(console.response).toContainText('"importActivities"')
  await page.getByRole('button', { name: 'Who am I' }).click()
  await expect(console.run).toHaveText(/^Run\b(?! write)/)
})

test('the editor completes from the schema and marks what is not in it', async ({ console, page }) => {
  await console.open('/explore?x=who-am-i')
  await expect(console.strip).toBeVisible()
  await console.editor.focus()
  await page.keyboard.press('ControlOrMeta+a')
  await page.keyboard.type('query Q { viewer { organiz')
  const popup = page.getByRole('listbox', { name: 'Completions' })
  await expect(popup.getByRole('option', { name: /^organization/ })).toBeVisible()
  await page.waitForTimeout(100) // a popup that has only just come takes no Enter, lest it steal one meant for the text
  await page.keyboard.press('Enter')
  await page.keyboard.type(' { nme ')
  await expect(page.getByText('1 problem', { exact: true })).toBeVisible()
  await expect(page.getByText(/Cannot query field "nme"/).first()).toBeVisible()
  await console.editor.getByText('viewer').hover()
  await expect(page.getByRole('tooltip').or(page.locator('.cm-hover'))).toContainText('Query.viewer')
})

test('variables are checked against the operation', async ({ console, page }) => {
  await console.open('/explore?x=top-suppliers')
  await expect(console.strip).toBeVisible()
  await console.write(console.variables, '{ "first": "many", "year": 2024 }')
  await expect(page.locator('.variables .cm-lintRange')).toHaveCount(2)
  await console.write(console.variables, '{ first')
  await console.run.click()
  await expect(page.getByText('The variables are not a JSON object.')).toBeVisible()
  await expect(console.variables).toBeFocused()
})

test('an error of the server is listed with its code and leads to its field', async ({ console, page }) => {
  await console.open('/explore?x=who-am-i')
  await expect(console.strip).toBeVisible()
  await console.write(console.editor, 'query Wrong {\n  suppliers(first: 0) {\n    totalCount\n  }\n}')
  await page.keyboard.press('ControlOrMeta+Enter')
  const errors = page.getByRole('region', { name: '1 error' })
  await expect(errors).toContainText('BAD_USER_INPUT')
  await errors.getByRole('button', { name: 'Show field' }).click()
  await expect(console.editor).toBeFocused()
  await expect(page.locator('.cm-failed')).toHaveText('suppliers')
})

test('a document that cannot be read is not sent, and the cursor goes to the place', async ({ console, page }) => {
  await console.open('/explore?x=who-am-i')
  await expect(console.strip).toBeVisible()
  let sent = 0
  page.on('request', (request) => (sent += request.url().endsWith('/graphql') ? 1 : 0))
  await console.write(console.editor, 'query {\n  viewer {\n    role !\n  }\n}')
  await console.run.click()
  await expect(page.getByText(/^Line 3: Syntax Error/)).toBeVisible()
  await expect(console.editor).toBeFocused()
  expect(sent).toBe(0)
})

test('a shared link holds the query in its fragment and opens the same elsewhere', async ({ console, page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await console.open('/explore?x=who-am-i')
  await expect(console.strip).toBeVisible()
  await console.write(console.editor, '# Umlaute: äöü\nquery Mine($n: Int! = 1) {\n  suppliers(first: $n) {\n    totalCount\n  }\n}')
  await console.write(console.variables, '{ "n": 3 }')
  await page.getByRole('button', { name: 'Share', exact: true }).click()
  await expect(page.getByText('Link copied')).toBeVisible()
  const link = await page.evaluate(() => navigator.clipboard.readText())
  expect(link).toBe(page.url())
  expect(link).toMatch(/\/explore#q=[\w-]+$/)

  const asked: string[] = []
  const other = await context.newPage()
  other.on('request', (request) => asked.push(request.url()))
  await other.goto(link)
  await expect(other.getByRole('textbox', { name: 'GraphQL operation' })).toContainText('Umlaute: äöü')
  await expect(other.getByRole('textbox', { name: 'Variables, JSON' })).toContainText('"n": 3')
  expect(asked.filter((url) => url.includes('q='))).toEqual([])
  expect(asked.filter((url) => url.endsWith('/graphql'))).toHaveLength(1) // the schema: what somebody else wrote does not run by itself

  await other.goto('/explore#q=broken')
  await other.reload()
  await expect(other.getByText('The link does not hold a whole query')).toBeVisible()
})

test('the address is the state: an example, back, and what was written after a reload', async ({ console, page }) => {
  await console.open('/explore?x=who-am-i')
  await page.getByRole('button', { name: 'Which factors are there' }).click()
  await expect(page).toHaveURL(/\?x=find-factors$/)
  await expect(console.editor).toContainText('FindFactors')
  await page.goBack()
  await expect(page).toHaveURL(/\?x=who-am-i$/)
  await expect(console.editor).toContainText('WhoAmI')
  await console.write(console.editor, 'query Kept { viewer { role } }')
  await expect(page).toHaveURL(/\/explore$/)
  await page.waitForTimeout(500) // the draft is written a moment after the last letter
  await page.reload()
  await expect(console.editor).toContainText('query Kept')
})

test('what is written while an answer is on its way is in the address too', async ({ console, page }) => {
  await console.open('/explore?x=find-factors')
  await expect(console.strip).toBeVisible()
  let release = () => {}
  const held = new Promise<void>((done) => (release = done))
  await page.route('**/graphql', async (route) => {
    await held
    await route.continue()
  })
  await page.getByRole('button', { name: 'Who am I' }).click()
  await page.keyboard.press('ControlOrMeta+Enter')
  await expect(page.locator('[aria-busy=true]')).toBeVisible()
  await console.write(console.editor, 'query Kept { viewer { role } }')
  await expect(page).toHaveURL(/\/explore$/)
  release()
})

test('the keyboard reaches everything: panes by F6, out of the editor by Esc and Tab, dividers by arrows', async ({ console, page }) => {
  await console.open('/explore?x=who-am-i')
  await expect(console.strip).toBeVisible()
  await console.editor.focus()
  await page.keyboard.press('F6')
  await expect(console.variables).toBeFocused()
  await page.keyboard.press('F6')
  await expect(page.getByRole('tab', { name: 'JSON' })).toBeFocused()
  await page.keyboard.press('F6')
  await expect(page.getByRole('tab', { name: 'Examples' })).toBeFocused()
  await page.keyboard.press('ArrowRight')
  await expect(page.getByRole('tab', { name: 'Schema' })).toBeFocused()
  await expect(page.getByRole('tabpanel', { name: 'Schema' })).toBeVisible()
  await page.keyboard.press('F6')
  await expect(console.editor).toBeFocused()
  await page.keyboard.press('Escape')
  await page.keyboard.press('Tab')
  await expect(console.variables).toBeFocused()
  await page.keyboard.press('Shift+F6')
  await expect(console.editor).toBeFocused()

  const divider = page.getByRole('separator', { name: 'Resize browse pane' })
  const before = await divider.getAttribute('aria-valuenow')
  await divider.focus()
  await page.keyboard.press('ArrowRight')
  await expect(divider).not.toHaveAttribute('aria-valuenow', before ?? '')

  await page.keyboard.press('?')
  await expect(page.getByRole('dialog', { name: 'Keys' })).toBeVisible()
})

test('the schema is searched by name and by words, and read by links', async ({ console, page }) => {
  await console.open('/explore?x=who-am-i')
  await page.getByRole('tab', { name: 'Schema' }).click()
  const panel = page.getByRole('tabpanel', { name: 'Schema' })
  await panel.getByLabel('Search the schema').fill('provenance')
  await panel.getByRole('button', { name: /^Emission\.provenance/ }).click()
  await expect(panel.locator('[data-member=provenance]')).toBeInViewport()
  await panel.locator('[data-member=provenance]').getByRole('button', { name: 'ProvenanceStep' }).click()
  await expect(panel.getByRole('heading', { level: 2 })).toContainText('ProvenanceStep')
  await panel.getByLabel('Search the schema').fill('15 Scope 3 categories')
  await expect(panel.getByRole('button', { name: /^Query\.categories/ })).toBeVisible()
  await panel.getByLabel('Search the schema').fill('zzz')
  await expect(panel.getByText('Nothing in the schema matches.')).toBeVisible()

  await panel.getByLabel('Search the schema').fill('')
  await console.editor.getByText('organization', { exact: true }).click({ modifiers: ['ControlOrMeta'] })
  await expect(panel.locator('[data-member=organization]')).toBeInViewport()
})

test('prettify lays out and keeps the comments', async ({ console, page }) => {
  await console.open('/explore?x=who-am-i')
  await console.write(console.editor, '# why\nquery Q{viewer{role # mine\n}}')
  await page.getByRole('button', { name: 'Prettify' }).click()
  await expect(console.editor).toContainText('# why')
  await expect(console.editor.getByText('role')).toBeVisible()
  await expect(console.editor).toContainText('role # mine')
})

test('a session that ends asks for the key over the page and keeps the text', async ({ console, page, context }) => {
  await console.open('/explore?x=who-am-i')
  await expect(console.strip).toBeVisible()
  await console.write(console.editor, 'query Unsent { viewer { role } }')
  await context.clearCookies()
  await console.run.click()
  const dialog = page.getByRole('dialog', { name: 'Your session has ended' })
  await dialog.getByLabel('API key').fill(process.env.CARBONGRAPH_KEY ?? '')
  await dialog.getByRole('button', { name: 'Sign in' }).click()
  await expect(dialog).toBeHidden()
  await expect(console.editor).toContainText('query Unsent')
  await console.run.click()
  await expect(console.response).toContainText('"role"')
})

test('without a readable schema the editor still writes and runs', async ({ console, page }) => {
  await page.route('**/graphql', async (route) => {
    const introspects = route.request().postData()?.includes('IntrospectionQuery')
    if (introspects) await route.fulfill({ status: 200, json: { errors: [{ message: 'Introspection is off.', extensions: { code: 'FORBIDDEN' } }] } })
    else await route.continue()
  })
  await page.route('**/schema.graphql', (route) => route.fulfill({ status: 404 }))
  await console.open('/explore?x=who-am-i')
  await expect(page.getByRole('region', { name: 'Operation' }).getByText('Introspection is off for your role')).toBeVisible()
  await expect(console.response).toContainText('"role"')
})

test('where introspection is off the published schema serves', async ({ console, page }) => {
  await page.route('**/graphql', async (route) => {
    const introspects = route.request().postData()?.includes('IntrospectionQuery')
    if (introspects) await route.fulfill({ status: 200, json: { errors: [{ message: 'Introspection is off.', extensions: { code: 'FORBIDDEN' } }] } })
    else await route.continue()
  })
  await console.open('/explore?x=who-am-i')
  await page.getByRole('tab', { name: 'Schema' }).click()
  await expect(page.getByText('this is the published schema')).toBeVisible()
  await expect(page.getByRole('button', { name: 'Query', exact: false }).first()).toBeVisible()
})

test('a server that does not answer says so, and the next try works', async ({ console, page }) => {
  await console.open('/explore?x=who-am-i')
  await expect(console.strip).toBeVisible()
  await page.route('**/graphql', (route) => route.abort())
  await console.run.click()
  const problem = page.getByRole('alert').filter({ hasText: 'The server did not answer' })
  await expect(problem).toBeVisible()
  await page.unroute('**/graphql')
  await problem.getByRole('button', { name: 'Try again' }).click()
  await expect(problem).toBeHidden()
  await expect(console.strip.getByRole('listitem').first()).toHaveText('200')
})

test('too many requests count down and then offer another try', async ({ console, page }) => {
  await console.open('/explore?x=who-am-i')
  await expect(console.strip).toBeVisible()
  await page.route('**/graphql', (route) =>
    route.fulfill({ status: 429, headers: { 'retry-after': '2' }, json: { errors: [{ message: 'Too many points.', extensions: { code: 'RATE_LIMITED' } }] } }),
  )
  await console.run.click()
  await expect(page.getByRole('button', { name: /^Try again in \d s$/ })).toBeDisabled()
  await expect(page.getByRole('button', { name: 'Try again', exact: true })).toBeEnabled()
})

test('an answer over 5 MB is shown in part and can be had whole', async ({ console, page }) => {
  await console.open('/explore?x=who-am-i')
  await expect(console.strip).toBeVisible()
  const rows = Array.from({ length: 60_000 }, (_, i) => ({ row: i, words: 'x'.repeat(80) }))
  await page.route('**/graphql', (route) => route.fulfill({ json: { data: { rows } } }))
  await console.run.click()
  await expect(page.getByText(/MB: the first 1,000 lines are shown/)).toBeVisible()
  const download = page.waitForEvent('download')
  await page.getByRole('button', { name: 'Download' }).click()
  expect((await download).suggestedFilename()).toBe('response.json')
})

test('an unknown address is a page that says so', async ({ console, page }) => {
  await console.signIn()
  const answer = await page.goto('/no/such/page')
  expect(answer?.status()).toBe(404)
  await expect(page.getByRole('heading', { name: 'There is no such page' })).toBeVisible()
  await page.getByRole('link', { name: 'Go to Explore' }).click()
  await expect(console.editor).toBeVisible()
})

test('the chosen theme is there before the first paint', async ({ console, page }) => {
  await page.emulateMedia({ colorScheme: 'light' })
  await console.open('/explore?x=who-am-i')
  const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor)
  const light = await paper()
  await page.getByLabel('Theme').selectOption('dark')
  expect(await paper()).not.toBe(light)
  await page.reload({ waitUntil: 'commit' })
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark')
  await page.getByLabel('Theme').selectOption('auto')
  expect(await paper()).toBe(light)
})
