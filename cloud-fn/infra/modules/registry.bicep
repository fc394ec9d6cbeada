// Where the worker's image lies. Only identities come in, and the worker may only fetch.
param name string
param location string
param workerPrincipalId string

var acrPull = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '7f951dda-4ed3-4680-a7ca-43fe172d538d')

resource registry 'Microsoft.ContainerRegistry/registries@2023-07-01' = {
  name: name
  location: location
  sku: { name: 'Basic' }
  properties: { adminUserEnabled: false }
}

resource fetch 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(registry.id, workerPrincipalId, acrPull)
  scope: registry
  properties: {
    roleDefinitionId: acrPull
    principalId: workerPrincipalId
    principalType: 'ServicePrincipal'
    description: 'The worker fetches its image'
  }
}

output server string = registry.properties.loginServer
