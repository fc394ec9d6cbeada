// Two accounts: the clips, and what the Functions host keeps for itself. Neither takes account keys.
param name string
param location string
param coolAfterDays int
param removeAfterDays int

var security = {
  allowBlobPublicAccess: false
  allowSharedKeyAccess: false
  defaultToOAuthAuthentication: true
  minimumTlsVersion: 'TLS1_2'
  supportsHttpsTrafficOnly: true
}

resource clips 'Microsoft.Storage/storageAccounts@2024-01-01' = {
  name: take('${name}clips', 24)
  location: location
  kind: 'StorageV2'
  sku: { name: 'Standard_LRS' }
  properties: union(security, { accessTier: 'Hot' })

  // A stolen box may write under its own name. What it overwrites or removes stays: as a version, or removed softly.
  resource blobs 'blobServices' = {
    name: 'default'
    properties: {
      isVersioningEnabled: true
      deleteRetentionPolicy: { enabled: true, days: 30, allowPermanentDelete: false }
      containerDeleteRetentionPolicy: { enabled: true, days: 30 }
    }

    resource clipsContainer 'containers' = { name: 'dacha-video' }
    resource frames 'containers' = { name: 'detected-dacha-video' }
    resource instances 'containers' = { name: 'dacha-instances' }
    resource deadLetters 'containers' = { name: 'event-dead-letters' }
  }

  resource queues 'queueServices' = {
    name: 'default'
    resource toProcessing 'queues' = { name: 'video-to-processing' }
    resource processed 'queues' = { name: 'video-processed' }
    resource toProcessingPoison 'queues' = { name: 'video-to-processing-poison' }
    resource processedPoison 'queues' = { name: 'video-processed-poison' }
    resource notifications 'queues' = { name: 'notifications' }
  }

  // Blocks that were staged and never committed are removed by the platform itself after seven days.
  resource lifecycle 'managementPolicies' = {
    name: 'default'
    properties: {
      policy: {
        rules: [
          {
            name: 'age'
            type: 'Lifecycle'
            definition: {
              filters: { blobTypes: ['blockBlob'], prefixMatch: ['dacha-video/', 'detected-dacha-video/'] }
              actions: {
                baseBlob: {
                  tierToCool: { daysAfterModificationGreaterThan: coolAfterDays }
                  delete: { daysAfterModificationGreaterThan: removeAfterDays }
                }
                version: { delete: { daysAfterCreationGreaterThan: removeAfterDays } }
              }
            }
          }
          {
            // What keeps a clip from being analysed twice outlives it.
            name: 'markers'
            type: 'Lifecycle'
            definition: {
              filters: { blobTypes: ['blockBlob'], prefixMatch: ['dacha-instances/'] }
              actions: {
                baseBlob: { delete: { daysAfterModificationGreaterThan: removeAfterDays + 30 } }
                version: { delete: { daysAfterCreationGreaterThan: 30 } }
              }
            }
          }
          {
            name: 'dead-letters'
            type: 'Lifecycle'
            definition: {
              filters: { blobTypes: ['blockBlob'], prefixMatch: ['event-dead-letters/'] }
              actions: {
                baseBlob: { delete: { daysAfterModificationGreaterThan: 90 } }
                version: { delete: { daysAfterCreationGreaterThan: 30 } }
              }
            }
          }
        ]
      }
    }
    dependsOn: [blobs]
  }
}

resource host 'Microsoft.Storage/storageAccounts@2024-01-01' = {
  name: take('${name}host', 24)
  location: location
  kind: 'StorageV2'
  sku: { name: 'Standard_LRS' }
  properties: security

  resource blobs 'blobServices' = {
    name: 'default'
    resource packages 'containers' = { name: 'packages' }
  }
}

output clipsName string = clips.name
output clipsContainer string = clips::blobs::clipsContainer.name
output hostName string = host.name
