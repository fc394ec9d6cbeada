// IoT Hub with file upload: devices get an address for one blob each, and never a key.
param name string
param location string
param sku string
param storageName string
param containerName string

resource storage 'Microsoft.Storage/storageAccounts@2024-01-01' existing = {
  name: storageName
}

resource hub 'Microsoft.Devices/IotHubs@2023-06-30' = {
  name: name
  location: location
  sku: { name: sku, capacity: 1 }
  identity: { type: 'SystemAssigned' }
  properties: {
    disableLocalAuth: true
    minTlsVersion: '1.2'
    enableFileUploadNotifications: false
    storageEndpoints: {
      '$default': {
        authenticationType: 'identityBased'
        connectionString: 'DefaultEndpointsProtocol=https;EndpointSuffix=${environment().suffixes.storage};AccountName=${storage.name}'
        containerName: containerName
        sasTtlAsIso8601: 'PT1H'
      }
    }
    messagingEndpoints: {
      fileNotifications: { lockDurationAsIso8601: 'PT1M', ttlAsIso8601: 'PT1H', maxDeliveryCount: 10 }
    }
    cloudToDevice: { maxDeliveryCount: 10, defaultTtlAsIso8601: 'P2D' }
    routing: { fallbackRoute: { name: 'events', source: 'DeviceMessages', condition: 'true', endpointNames: ['events'], isEnabled: true } }
  }
}

output name string = hub.name
output hostName string = hub.properties.hostName
output principalId string = hub.identity.principalId
