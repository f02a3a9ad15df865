import {
  getNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  isSpecifiedScalarType,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLNamedType,
  type GraphQLSchema,
} from 'graphql'

/** One find in the schema. */
export interface Hit {
  type: GraphQLNamedType
  member: string | undefined
  description: string
  rank: number
}

export type Field = GraphQLField<unknown, unknown> | GraphQLInputField

/** Every type that a reader may want to see, root types apart, in the order of the alphabet. */
export function listedTypes(schema: GraphQLSchema): GraphQLNamedType[] {
  const roots = rootTypes(schema)
  return Object.values(schema.getTypeMap())
    .filter((t) => !isIntrospectionType(t) && !isSpecifiedScalarType(t) && !roots.includes(t))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

export function rootTypes(schema: GraphQLSchema): GraphQLNamedType[] {
  return [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].filter((t) => !!t)
}

export function fieldsOf(type: GraphQLNamedType): Field[] {
  return isObjectType(type) || isInterfaceType(type) || isInputObjectType(type) ? Object.values(type.getFields()) : []
}

export function argumentsOf(field: Field): readonly GraphQLArgument[] {
  return 'args' in field ? field.args : []
}

/** The fields, of any type, whose value is of this type. */
export function returnedBy(schema: GraphQLSchema, type: GraphQLNamedType): { type: GraphQLNamedType; field: string }[] {
  return [...rootTypes(schema), ...listedTypes(schema)].flatMap((owner) =>
    isInputObjectType(owner) ? [] : fieldsOf(owner).filter((f) => getNamedType(f.type) === type).map((f) => ({ type: owner, field: f.name })),
  )
}

/** Finds names, types and descriptions that hold the words: names that begin so first, then names, then types, then descriptions. */
export function lookup(schema: GraphQLSchema, words: string): Hit[] {
  const needle = words.trim().toLowerCase()
  if (needle === '') return []
  const hits: Hit[] = []
  const consider = (type: GraphQLNamedType, member: string | undefined, name: string, valueType: string, description: string) => {
    const rank = rankOf(needle, name.toLowerCase(), `${type.name}.${member ?? ''}`.toLowerCase(), valueType.toLowerCase(), description.toLowerCase())
    if (rank !== undefined) hits.push({ type, member, description, rank: member === undefined ? rank - 0.5 : rank })
  }
  for (const type of [...rootTypes(schema), ...listedTypes(schema)]) {
    consider(type, undefined, type.name, '', type.description ?? '')
    for (const field of fieldsOf(type)) consider(type, field.name, field.name, String(field.type), field.description ?? '')
    if (isEnumType(type)) for (const value of type.getValues()) consider(type, value.name, value.name, '', value.description ?? '')
  }
  return hits.sort((a, b) => a.rank - b.rank)
}

function rankOf(needle: string, name: string, path: string, valueType: string, description: string): number | undefined {
  if (name === needle) return 0
  if (name.startsWith(needle)) return 1
  if (name.includes(needle) || path.startsWith(needle)) return 2
  if (valueType.includes(needle)) return 3
  return description.includes(needle) ? 4 : undefined
}
