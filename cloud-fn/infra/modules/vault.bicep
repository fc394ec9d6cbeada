// The few secrets: where notifications go. The app may read it and nothing else.
param name string
param location string
param appPrincipalId string
@secure()
param notifyWebhook string

var secretsUser = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '4633458b-17de-408a-b874-0445c86b69e6')

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' = {
  name: name
  location: location
  properties: {
    tenantId: subscription().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 30
    enablePurgeProtection: true
  }

  resource webhook 'secrets' = if (!empty(notifyWebhook)) {
    name: 'notify-webhook'
    properties: { value: notifyWebhook, contentType: 'address' }
  }
}

resource read 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, appPrincipalId, secretsUser)
  scope: vault
  properties: {
    roleDefinitionId: secretsUser
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    description: 'The app reads where notifications go'
  }
}

output webhookSecretUri string = '${vault.properties.vaultUri}secrets/notify-webhook'
