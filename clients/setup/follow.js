/** Each state of a run until it has ended, by a client of graphql-ws or graphql-sse. */
export async function* follow(client, id) {
  const query = 'subscription Progress($id: ID!) { calculationRunProgress(id: $id) { id status finishedAt } }'
  for await (const { data, errors } of client.iterate({ query, variables: { id } })) {
    if (errors) throw new Error(errors[0].message)
    yield data.calculationRunProgress
  }
}
