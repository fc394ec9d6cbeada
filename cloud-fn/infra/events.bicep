// The second deployment, once the functions package is there: Event Grid tells the app of each clip.
targetScope = 'resourceGroup'

param location string = resourceGroup().location

@description('As for main.bicep.')
param name string = 'dacha'

@description('As main.bicep gives them.')
param clipsName string
param functionsName string

var blobContributor = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'ba92f5b4-2d11-453d-a403-e96b0029c9fe')

resource clips 'Microsoft.Storage/storageAccounts@2024-01-01' existing = {
  name: clipsName

  resource blobs 'blobServices' existing = {
    name: 'default'
    resource deadLetters 'containers' existing = { name: 'event-dead-letters' }
  }
}

resource app 'Microsoft.Web/sites@2024-04-01' existing = {
  name: functionsName
}

resource topic 'Microsoft.EventGrid/systemTopics@2022-06-15' = {
  name: '${clipsName}-events'
  location: location
  identity: { type: 'SystemAssigned' }
  properties: { source: clips.id, topicType: 'Microsoft.Storage.StorageAccounts' }
}

resource told 'Microsoft.Insights/actionGroups@2023-01-01' existing = {
  name: '${name}-told'
}

// The house asks again for a clip without a verdict, so nothing is lost; but something is wrong.
resource undelivered 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: '${name}-events-undelivered'
  location: 'global'
  properties: {
    description: 'Event Grid could not tell the functions app of a clip, and has set the event aside.'
    severity: 2
    enabled: true
    scopes: [topic.id]
    evaluationFrequency: 'PT15M'
    windowSize: 'PT1H'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          name: 'dead-letters'
          criterionType: 'StaticThresholdCriterion'
          metricName: 'DeadLetteredCount'
          metricNamespace: 'Microsoft.EventGrid/systemTopics'
          operator: 'GreaterThan'
          threshold: 0
          timeAggregation: 'Total'
        }
      ]
    }
    actions: [{ actionGroupId: told.id }]
  }
}

resource keepsDeadLetters 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(clips::blobs::deadLetters.id, topic.id, blobContributor)
  scope: clips::blobs::deadLetters
  properties: {
    roleDefinitionId: blobContributor
    principalId: topic.identity.principalId
    principalType: 'ServicePrincipal'
    description: 'Event Grid keeps what it could not deliver'
  }
}

resource clipsArrive 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2022-06-15' = {
  parent: topic
  name: 'clips'
  properties: {
    eventDeliverySchema: 'EventGridSchema'
    destination: {
      endpointType: 'AzureFunction'
      properties: {
        resourceId: '${app.id}/functions/OnVideoBlobCreated'
        maxEventsPerBatch: 1
        preferredBatchSizeInKilobytes: 64
      }
    }
    filter: {
      includedEventTypes: ['Microsoft.Storage.BlobCreated']
      subjectBeginsWith: '/blobServices/default/containers/dacha-video/'
    }
    retryPolicy: { maxDeliveryAttempts: 30, eventTimeToLiveInMinutes: 1440 }
    deadLetterWithResourceIdentity: {
      identity: { type: 'SystemAssigned' }
      deadLetterDestination: {
        endpointType: 'StorageBlob'
        properties: { resourceId: clips.id, blobContainerName: 'event-dead-letters' }
      }
    }
  }
  dependsOn: [keepsDeadLetters]
}
