// The functions app on Flex Consumption. No setting holds a key: identities everywhere, and one reference into the vault.
param name string
param location string
param nodeVersion string
param identityId string
param identityClientId string
param hostStorageName string
param clipsName string
param hubHostName string
param insightsName string
param webhookSecretUri string
@allowed(['none', 'container-instances'])
param computeKind string
param computeResource string

resource host 'Microsoft.Storage/storageAccounts@2024-01-01' existing = {
  name: hostStorageName
}

resource clips 'Microsoft.Storage/storageAccounts@2024-01-01' existing = {
  name: clipsName
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  name: name
  location: location
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true }
}

var always = {
  AzureWebJobsStorage__accountName: host.name
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  APPLICATIONINSIGHTS_CONNECTION_STRING: insights.properties.ConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
  AZURE_CLIENT_ID: identityClientId
  DACHA_STORAGE_ACCOUNT_URL_BLOB: clips.properties.primaryEndpoints.blob
  DACHA_STORAGE_ACCOUNT_URL_QUEUE: clips.properties.primaryEndpoints.queue
  DACHA_STORAGE_CONNECTION__queueServiceUri: clips.properties.primaryEndpoints.queue
  DACHA_STORAGE_CONNECTION__credential: 'managedidentity'
  DACHA_STORAGE_CONNECTION__clientId: identityClientId
  DACHA_IOTHUB_HOST: hubHostName
  DACHA_COMPUTE: computeKind
}
var ofCompute = empty(computeResource) ? {} : { DACHA_COMPUTE_RESOURCE: computeResource }
var ofWebhook = empty(webhookSecretUri) ? {} : { DACHA_NOTIFY_WEBHOOK: '@Microsoft.KeyVault(SecretUri=${webhookSecretUri})' }

resource app 'Microsoft.Web/sites@2024-04-01' = {
  name: name
  location: location
  kind: 'functionapp,linux'
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identityId}': {} } }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    keyVaultReferenceIdentity: identityId
    siteConfig: { minTlsVersion: '1.2' }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${host.properties.primaryEndpoints.blob}packages'
          authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identityId }
        }
      }
      scaleAndConcurrency: { maximumInstanceCount: 40, instanceMemoryMB: 512 }
      runtime: { name: 'node', version: nodeVersion }
    }
  }

  resource settings 'config' = {
    name: 'appsettings'
    properties: union(always, ofCompute, ofWebhook)
  }

  // Publishing goes by identity, too.
  resource ftp 'basicPublishingCredentialsPolicies' = {
    name: 'ftp'
    properties: { allow: false }
  }
  resource scm 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: { allow: false }
  }
}

output name string = app.name
