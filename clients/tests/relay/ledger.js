// What the tests ask by Relay. The compiler reads these texts against the server's own schema.
graphql`
  query ledgerCategoriesQuery {
    categories {
      id
      number
      name
    }
  }
`

graphql`
  query ledgerSuppliersQuery($first: Int!, $after: String) {
    suppliers(first: $first, after: $after) @connection(key: "ledger_suppliers") {
      edges {
        node {
          id
          name
          emissions(first: 2) {
            nodes {
              id
              co2e(unit: KG)
              factor {
                name
              }
            }
          }
        }
      }
    }
  }
`

graphql`
  query ledgerNodeQuery($id: ID!) {
    node(id: $id) {
      __typename
      id
      ... on Supplier {
        name
      }
    }
  }
`

graphql`
  mutation ledgerUpsertMutation($input: UpsertSuppliersInput!) {
    upsertSuppliers(input: $input) {
      created
      updated
      results {
        supplier {
          id
          name
        }
      }
    }
  }
`

graphql`
  fragment ledger_suppliers on Query @argumentDefinitions(count: { type: "Int", defaultValue: 3 }, cursor: { type: "String" }) @refetchable(queryName: "ledgerMoreSuppliersQuery") {
    suppliers(first: $count, after: $cursor) @connection(key: "ledger_more_suppliers") {
      edges {
        node {
          name
        }
      }
    }
  }
`

graphql`
  query ledgerFragmentQuery {
    ...ledger_suppliers
  }
`

graphql`
  subscription ledgerProgressSubscription($id: ID!) {
    calculationRunProgress(id: $id) {
      id
      status
    }
  }
`
