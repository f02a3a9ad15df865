import { ApolloLink, Observable } from '@apollo/client'
import { print } from '@apollo/client/utilities'

/** Operations over a client of graphql-sse. */
export class SseLink extends ApolloLink {
  constructor(client) {
    super()
    this.client = client
  }

  request({ query, variables, operationName, extensions }) {
    return new Observable((observer) =>
      this.client.subscribe({ query: print(query), variables, operationName, extensions }, {
        next: (result) => observer.next(result),
        error: (error) => observer.error(error),
        complete: () => observer.complete(),
      }),
    )
  }
}
