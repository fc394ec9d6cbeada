// The worker as a container group that the functions app starts, and that never restarts by itself. The app may look at it
// and start it, and do nothing else with it.
param name string
param location string
param image string
param registryServer string
param identityId string
param identityClientId string
param clipsName string
param appPrincipalId string

resource clips 'Microsoft.Storage/storageAccounts@2024-01-01' existing = {
  name: clipsName
}

resource group 'Microsoft.ContainerInstance/containerGroups@2023-05-01' = {
  name: '${name}-yolo'
  location: location
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identityId}': {} } }
  properties: {
    osType: 'Linux'
    restartPolicy: 'Never'
    sku: 'Standard'
    imageRegistryCredentials: [{ server: registryServer, identity: identityId }]
    containers: [
      {
        name: 'yolo'
        properties: {
          image: image
          resources: { requests: { cpu: 2, memoryInGB: 4 } }
          environmentVariables: [
            { name: 'DACHA_STORAGE_ACCOUNT_URL_BLOB', value: clips.properties.primaryEndpoints.blob }
            { name: 'DACHA_STORAGE_ACCOUNT_URL_QUEUE', value: clips.properties.primaryEndpoints.queue }
            { name: 'AZURE_CLIENT_ID', value: identityClientId }
          ]
        }
      }
    ]
  }
}

resource starter 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(resourceGroup().id, 'dachawatch-worker-starter')
  properties: {
    roleName: 'Dachawatch worker starter (${resourceGroup().name})'
    description: 'Looks at the container group of the worker and starts it'
    type: 'CustomRole'
    assignableScopes: [resourceGroup().id]
    permissions: [
      {
        actions: [
          'Microsoft.ContainerInstance/containerGroups/read'
          'Microsoft.ContainerInstance/containerGroups/start/action'
        ]
      }
    ]
  }
}

resource start 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(group.id, appPrincipalId, starter.id)
  scope: group
  properties: {
    roleDefinitionId: starter.id
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    description: 'The app starts the worker'
  }
}

output groupId string = group.id
